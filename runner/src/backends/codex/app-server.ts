import { AgentProcess, type AgentProcessOptions } from '../agent-process.ts';
import { asBackendFailure, BackendFailure } from '../backend-failure.ts';
import { type JsonObject, JsonRpc, text } from '../json-rpc.ts';
import { LineSplitter } from '../line-splitter.ts';

/** A message of codex longer than this is not read: nothing that it says in earnest is. */
const MESSAGE_BYTES = 16 * 1024 * 1024;
/** So many messages that are none mean that another program is talking. */
const MOST_GARBAGE = 100;

/** How long codex may take to answer, in milliseconds. */
export interface CodexDeadlines {
  readonly initialize: number;
  readonly thread: number;
  readonly turnStart: number;
  readonly steer: number;
  readonly interrupt: number;
  readonly clean: number;
}

export const CODEX_DEADLINES: CodexDeadlines = {
  initialize: 30_000,
  thread: 60_000,
  turnStart: 30_000,
  steer: 15_000,
  interrupt: 10_000,
  clean: 5000,
};

export interface AppServerHandlers {
  readonly onNotification: (method: string, params: JsonObject) => void;
  readonly onRequest: (method: string, params: JsonObject) => Promise<unknown>;
  /** Something that a person may want to know, and that ends nothing. */
  readonly onOddity: (message: string) => void;
  /** The process is gone, and all that it started. Called once; calls that wait are refused afterwards. */
  readonly onGone: (failure: BackendFailure) => void;
}

/** One `codex app-server`: its process, and JSON-RPC over its pipes. */
export class AppServer {
  readonly process: AgentProcess;
  readonly rpc: JsonRpc;
  readonly #handlers: AppServerHandlers;
  #garbage = 0;
  #gone = false;
  #failure: BackendFailure | undefined;

  private constructor(process: AgentProcess, handlers: AppServerHandlers) {
    this.process = process;
    this.#handlers = handlers;
    const { stdin, stdout } = process.group;
    this.rpc = new JsonRpc({
      send: (line) => stdin?.write(`${line}\n`),
      onNotification: handlers.onNotification,
      onRequest: handlers.onRequest,
      onGarbage: (line) => this.#tolerate(`codex said what is no message: ${line.slice(0, 200)}`),
    });
    const lines = new LineSplitter(MESSAGE_BYTES, ({ text: line, cutBytes }) => {
      if (cutBytes > 0) {
        this.#tolerate(`a message of codex of ${line.length + cutBytes} bytes was not read: ${line.slice(0, 200)}`);
      } else if (line !== '') this.rpc.receive(line);
    });
    stdout?.on('data', (chunk: Buffer) => lines.push(chunk));
    void process.ended.then((exit) => {
      this.#gone = true;
      handlers.onGone(this.#failure ?? process.failure(exit, 'backend-crashed', 'codex'));
      this.rpc.close('codex is gone');
    });
  }

  /**
   * Starts codex and shakes hands with it.
   *
   * @param signal kills it while it is starting
   * @returns the server, and the version that it names
   * @throws BackendFailure `profile-invalid` for a configuration that codex refuses, `backend-crashed`,
   * `backend-protocol`
   */
  static async start(
    executable: string,
    options: AgentProcessOptions,
    handlers: AppServerHandlers,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<{ server: AppServer; version: string | undefined }> {
    const process = await AgentProcess.start([executable, 'app-server', '--strict-config'], options);
    let failure: BackendFailure | undefined;
    const server = new AppServer(process, {
      ...handlers,
      onGone: (gone) => {
        failure = gone;
        handlers.onGone(gone);
      },
    });
    const abort = (): void => void server.kill(new BackendFailure('backend-crashed', 'codex was killed at its start'));
    signal.addEventListener('abort', abort, { once: true });
    try {
      if (signal.aborted) abort();
      const clientInfo = { name: 'agentrun', title: 'AgentRun', version: '0.1.0' };
      // Without the experimental interface a command cannot be ended when its turn is interrupted.
      const capabilities = { experimentalApi: true, requestAttestation: false };
      const answer = await server.rpc.call('initialize', { clientInfo, capabilities }, timeoutMs);
      server.rpc.notify('initialized');
      return { server, version: /^[^/]*\/(\d+\.\d+\.\d+\S*)/.exec(text(answer['userAgent']) ?? '')?.[1] };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      await server.kill(new BackendFailure('backend-protocol', `codex did not shake hands: ${why}`, { cause: error }));
      throw refusal(failure, error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Whether it can be asked; not while it is being ended. */
  get alive(): boolean {
    return !this.#gone && this.process.alive;
  }

  async end(deadlineMs: number): Promise<void> {
    await this.process.end(deadlineMs);
  }

  /** @param failure why, where it is not for somebody who wants it gone */
  async kill(failure?: BackendFailure): Promise<void> {
    this.#failure ??= failure;
    await this.process.kill();
  }

  #tolerate(message: string): void {
    this.#garbage += 1;
    if (this.#garbage <= 3) this.#handlers.onOddity(message);
    if (this.#garbage !== MOST_GARBAGE) return;
    const what = `${MOST_GARBAGE} messages of codex were none; the last: ${message}`;
    void this.kill(new BackendFailure('backend-protocol', what));
  }
}

/** Why codex did not come up: what it said of its settings is a fault of the profile. */
function refusal(failure: BackendFailure | undefined, error: unknown): BackendFailure {
  const said = failure?.message ?? '';
  if (failure?.failureKind === 'backend-crashed' && /config\.toml|models\.json|configuration/i.test(said)) {
    return new BackendFailure('profile-invalid', `codex refuses the settings of the profile: ${said}`);
  }
  return failure ?? asBackendFailure(error, 'backend-protocol', 'codex did not shake hands');
}

import { setTimeout as delay } from 'node:timers/promises';
import { attemptPids } from '../agent-process.ts';
import type { AgentDriver } from '../agent-session.ts';
import type { BackendContext } from '../backend.ts';
import { BackendFailure } from '../backend-failure.ts';
import { isObject, type JsonObject, RpcError, RpcSilence, text } from '../json-rpc.ts';
import { processorTime } from '../processor-time.ts';
import type { Outcome, Turn } from '../turn.ts';
import type { AppServer, AppServerHandlers, CodexDeadlines } from './app-server.ts';
import { answerRequest } from './approvals.ts';
import { openThread } from './codex-thread.ts';
import { codexPolicy, unheldPolicy } from './policy.ts';
import { TurnListener } from './turn-listener.ts';

/** How long commands of an interrupted turn may take to end before codex is ended with them, in milliseconds. */
const VANISH_MS = 1000;
const LOOK_MS = 25;

interface Current {
  readonly turn: Turn;
  readonly listener: TurnListener;
  readonly heard: () => void;
  /** Processes that were there before the turn; null where they cannot be seen. */
  before: ReadonlySet<number> | null;
  /** What codex asked to be approved although the policy lets nobody ask. */
  refused?: string;
  /** Codex has ended the turn, and what it left is being ended. */
  sweeping?: boolean;
}

type StartServer = (handlers: AppServerHandlers, signal: AbortSignal) => Promise<AppServer>;

/** Drives one `codex app-server`; it is started again when it is gone. */
export class CodexDriver implements AgentDriver {
  readonly #context: BackendContext;
  readonly #deadlines: CodexDeadlines;
  readonly #startServer: StartServer;
  readonly #told = new Set<string>();
  #oddities: string[] = [];
  #server: AppServer | null = null;
  #starting: { readonly abort: AbortController; readonly done: Promise<unknown> } | null = null;
  #threadId: string | null = null;
  #current: Current | null = null;

  constructor(context: BackendContext, deadlines: CodexDeadlines, start: StartServer) {
    this.#context = context;
    this.#deadlines = deadlines;
    this.#startServer = start;
  }

  /** Starts codex unless it runs. @throws BackendFailure */
  async ready(): Promise<AppServer> {
    if (this.#server?.alive === true) return this.#server;
    // One that is on its way out must not take the next with it.
    await this.#server?.process.ended;
    this.#server = null;
    this.#threadId = null;
    let gone: BackendFailure | undefined;
    const abort = new AbortController();
    const starting = this.#startServer(
      {
        onNotification: (method, params) => this.#notified(method, params),
        onRequest: (method, params) => this.#requested(method, params),
        onOddity: (message) => this.warn(message),
        onGone: (failure) => {
          gone = failure;
          // One that did not come up is told by the rejection of the start.
          if (this.#server !== null && !this.#server.alive) this.#gone(failure);
        },
      },
      abort.signal,
    );
    this.#starting = { abort, done: starting.catch(() => {}) };
    try {
      const server = await starting;
      if (gone !== undefined) throw gone;
      this.#server = server;
      return server;
    } finally {
      this.#starting = null;
    }
  }

  /** Tells something once in a session: in the running turn, or in the next. */
  warn(message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    const events = this.#current?.turn.events;
    if (events === undefined) this.#oddities.push(message);
    else events.warning(message);
  }

  async begin(turn: Turn, heard: () => void): Promise<void> {
    const { input } = turn;
    const server = await this.ready();
    if (turn.stopReason !== undefined) return turn.end({ status: 'interrupted' });
    const current: Current = { turn, heard, listener: new TurnListener(turn), before: null };
    this.#current = current;
    void turn.finished.then(() => {
      if (this.#current === current) this.#current = null;
    });
    for (const message of this.#oddities.splice(0)) turn.events.warning(message);
    const unheld = unheldPolicy(input.policy, this.#context.sandbox);
    if (unheld !== null) this.warn(unheld);
    current.before = await attemptPids(this.#context.attemptId);
    await this.#converse(server, turn);
    if (turn.stopReason !== undefined) return turn.end({ status: 'interrupted' });
    await this.#start(server, current);
    if (turn.stopReason !== undefined) await this.stop(turn);
  }

  async steer(turn: Turn, prompt: string): Promise<'accepted' | { rejected: 'turn-ended' | 'unsupported' }> {
    const server = this.#server;
    if (server === null || turn.turnId === undefined || turn.ended) return { rejected: 'turn-ended' };
    const input = [{ type: 'text', text: prompt, text_elements: [] }];
    const params = { threadId: turn.threadId, expectedTurnId: turn.turnId, input };
    try {
      await server.rpc.call('turn/steer', params, this.#deadlines.steer);
      return 'accepted';
    } catch (error) {
      if (error instanceof RpcSilence) {
        throw new BackendFailure('outcome-unknown', `nobody knows whether codex took the text: ${error.message}`);
      }
      if (error instanceof RpcError && /active turn/i.test(error.message)) return { rejected: 'turn-ended' };
      return { rejected: 'unsupported' };
    }
  }

  async stop(turn: Turn): Promise<void> {
    const server = this.#server;
    // A turn that is only beginning is stopped as soon as it has begun.
    if (server === null || turn.turnId === undefined || turn.ended) return;
    const { threadId, turnId } = turn;
    await server.rpc.call('turn/interrupt', { threadId, turnId }, this.#deadlines.interrupt);
  }

  workMs(turn: Turn): number | null {
    const server = this.#server;
    if (server?.alive !== true || !turn.events.hasOpenTool) return null;
    // Codex itself uses some all the time; what counts is what the turn started.
    return processorTime(server.process.group.pid, this.#current?.before ?? new Set());
  }

  async close(deadlineMs: number): Promise<void> {
    await this.#stopStarting();
    await this.#server?.end(deadlineMs);
  }

  async kill(graceMs: number): Promise<void> {
    await this.#stopStarting();
    await this.#server?.process.kill(graceMs);
  }

  async #stopStarting(): Promise<void> {
    this.#starting?.abort.abort();
    await this.#starting?.done;
  }

  async #converse(server: AppServer, turn: Turn): Promise<void> {
    const { threadId, workspace } = turn.input;
    if (threadId !== null && threadId === this.#threadId) return turn.thread(threadId, { resumed: true });
    const { threadId: opened, ...how } = await this.#answered(server, 'a conversation', 'backend-protocol', () =>
      openThread(server.rpc, threadId, workspace, this.#deadlines.thread),
    );
    this.#threadId = opened;
    turn.thread(opened, how);
    if (how.replaces !== undefined) {
      turn.events.warning(`codex does not know the conversation ${how.replaces}; it began a new one`);
    }
  }

  async #start(server: AppServer, { turn, listener }: Current): Promise<void> {
    const { input } = turn;
    const params = {
      threadId: turn.threadId,
      cwd: input.workspace,
      input: [{ type: 'text', text: input.prompt, text_elements: [] }],
      ...codexPolicy(input.policy, this.#context.sandbox),
    };
    // A turn that may have begun must not be begun again by somebody who does not know.
    await this.#answered(server, 'a turn', 'outcome-unknown', async () => {
      const answer = await server.rpc.call('turn/start', params, this.#deadlines.turnStart);
      const named = isObject(answer['turn']) ? text(answer['turn']['id']) : undefined;
      if (named === undefined) throw new BackendFailure('backend-protocol', 'codex named no turn');
      listener.expect(named);
      // Before that codex knows of no turn that could be steered or interrupted.
      const late = new AbortController();
      const timeout = delay(this.#deadlines.turnStart, 'late', { signal: late.signal }).catch(() => {});
      const first = await Promise.race([listener.begun, turn.finished, timeout]);
      late.abort();
      if (first === 'late') throw new RpcSilence('the turn was accepted, but never began');
    });
  }

  /** What codex answers; a codex that does not is killed, and what it was asked fails as `silence`. */
  async #answered<T>(
    server: AppServer,
    what: string,
    silence: 'backend-protocol' | 'outcome-unknown',
    ask: () => Promise<T>,
  ): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof RpcError) throw new BackendFailure('backend-protocol', `codex refused ${error.message}`);
      if (!(error instanceof RpcSilence) || !server.alive) throw error;
      const failure = new BackendFailure(silence, `codex was asked for ${what}: ${error.message}`, { cause: error });
      await server.kill(failure);
      throw failure;
    }
  }

  #notified(method: string, params: JsonObject): void {
    const current = this.#current;
    current?.heard();
    if (method === 'configWarning' || method === 'warning' || method === 'deprecationNotice') {
      const message = text(params['message']) ?? text(params['summary']) ?? method;
      // Codex brings its own; there is nothing to do.
      if (!message.includes('bundled bubblewrap')) this.warn(message);
      return;
    }
    const outcome = current?.listener.receive(method, params);
    if (current === null || outcome === null || outcome === undefined) return;
    if (outcome.status === 'interrupted') void this.#sweep(current, outcome);
    else current.turn.end(outcome);
  }

  async #requested(method: string, params: JsonObject): Promise<unknown> {
    const current = this.#current;
    current?.heard();
    const approvals = current?.turn.input.policy.approvals ?? 'decline';
    const answer = answerRequest(method, params, approvals);
    if (answer === null) throw new Error(`this client does not know ${method}`);
    current?.turn.events.approval(answer.event);
    if (current !== null && answer.event['decision'] === 'cancel') {
      current.refused ??= `the agent asked to approve: ${text(answer.event['command']) ?? text(answer.event['kind'])}`;
    }
    return answer.result;
  }

  /** Ends what an interrupted turn left running, then the turn. Codex itself goes too when something does not go. */
  async #sweep(current: Current, outcome: Outcome): Promise<void> {
    const { turn, before, refused } = current;
    current.sweeping = true;
    const server = this.#server;
    if (server !== null) {
      const params = { threadId: turn.threadId };
      await server.rpc.call('thread/backgroundTerminals/clean', params, this.#deadlines.clean).catch(() => {});
      if (!(await this.#onlyThese(before))) await server.kill();
    }
    if (refused === undefined) turn.end(outcome);
    else turn.fail(new BackendFailure('approval-required', refused));
  }

  async #onlyThese(before: ReadonlySet<number> | null): Promise<boolean> {
    if (before === null) return false;
    for (const until = performance.now() + VANISH_MS; ; await delay(LOOK_MS)) {
      const now = await attemptPids(this.#context.attemptId);
      if (now !== null && [...now].every((pid) => before.has(pid))) return true;
      if (performance.now() > until) return false;
    }
  }

  #gone(failure: BackendFailure): void {
    this.#server = null;
    this.#threadId = null;
    if (this.#current?.sweeping !== true) this.#current?.turn.fail(failure);
  }
}

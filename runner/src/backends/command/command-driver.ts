import { randomUUID } from 'node:crypto';
import { AgentProcess } from '../agent-process.ts';
import type { AgentDriver } from '../agent-session.ts';
import type { BackendContext } from '../backend.ts';
import { BackendFailure } from '../backend-failure.ts';
import { LineSplitter } from '../line-splitter.ts';
import { processorTime } from '../processor-time.ts';
import type { Turn } from '../turn.ts';
import { CommandOutput } from './command-output.ts';
import { LINE_BYTES } from './output-line.ts';

export interface CommandContext extends BackendContext {
  /** The program by its absolute path, and its arguments. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A process for each turn. */
export class CommandDriver implements AgentDriver {
  readonly #context: CommandContext;
  #process: AgentProcess | null = null;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  async begin(turn: Turn, heard: () => void): Promise<void> {
    const { argv, env, attemptId, profile } = this.#context;
    const { threadId: given, workspace, prompt, policy } = turn.input;
    const threadId = given ?? `command-${randomUUID()}`;
    const turnId = randomUUID();
    turn.thread(threadId, { resumed: given !== null });
    if (policy.sandbox !== undefined && policy.sandbox !== 'full') {
      turn.events.warning(`the policy asks for the sandbox "${policy.sandbox}", but a command runs without one`);
    }
    const output = new CommandOutput(turn);
    const errors = new LineSplitter(LINE_BYTES, (line) => output.errorLine(line));
    const process = await AgentProcess.start(argv, {
      cwd: workspace,
      env: { ...env, AGENTRUN_THREAD_ID: threadId, AGENTRUN_TURN_ID: turnId },
      attemptId,
      secrets: profile.credential.value === undefined ? [] : [profile.credential.value],
      onStderr: (chunk) => {
        heard();
        errors.push(chunk);
      },
    });
    // Killed before there was anything to kill.
    if (turn.ended) return process.kill();
    this.#process = process;
    turn.began(turnId);
    const lines = new LineSplitter(LINE_BYTES, (line) => output.line(line));
    process.group.stdout?.on('data', (chunk: Buffer) => {
      heard();
      lines.push(chunk);
    });
    process.group.stdin?.end(prompt);
    if (turn.stopReason !== undefined) await this.stop();
    const exit = await process.ended;
    lines.end();
    errors.end();
    this.#process = null;
    output.end();
    if (turn.stopReason !== undefined) turn.end({ status: 'interrupted' });
    else if (exit.code === 0) turn.end({ status: 'completed' });
    else turn.fail(failureOf(output, process.failure(exit, 'backend-crashed', `the command ${argv[0]}`)));
  }

  stop(): Promise<void> {
    this.#process?.group.interrupt();
    return Promise.resolve();
  }

  /** A program need not tell of its tools: it works itself. */
  workMs(): number | null {
    return this.#process === null ? null : processorTime(this.#process.group.pid);
  }

  async close(deadlineMs: number): Promise<void> {
    await this.#process?.end(deadlineMs);
  }

  async kill(graceMs: number): Promise<void> {
    await this.#process?.kill(graceMs);
  }
}

/** What the program said of its failure stands before how it ended. */
function failureOf(output: CommandOutput, ended: BackendFailure): BackendFailure {
  const { failure } = output;
  return failure === undefined ? ended : new BackendFailure(failure.kind ?? ended.failureKind, failure.message);
}

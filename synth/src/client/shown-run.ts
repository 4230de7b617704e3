import type { RunEvent } from '@agentrun/lib/contract';
import { mayColour, type Terminal } from '../terminal.ts';
import { StatusLine } from './status-line.ts';
import { payloadOf } from './transcript/payload.ts';
import { plainLine } from './transcript/plain-text.ts';
import { Transcript } from './transcript/transcript.ts';

const COLUMNS = 200;
const OUTPUT_LINES = 15;
const DIFF_LINES = 60;

/** A run as it is shown: the transcript on stdout, and on a terminal a line that says what is waited for. */
export class ShownRun {
  readonly transcript: Transcript;
  readonly #status: StatusLine;
  readonly #terminal: Terminal;

  /** `full`: nothing of tools and diffs is cut. */
  constructor(terminal: Terminal, { full = false }: { readonly full?: boolean | undefined }) {
    this.#terminal = terminal;
    this.#status = new StatusLine(terminal.stderr);
    const { stdout } = terminal;
    this.transcript = new Transcript({
      colour: mayColour(terminal, stdout),
      columns: full ? Number.MAX_SAFE_INTEGER : stdout.isTTY === true ? (stdout.columns ?? 80) : COLUMNS,
      outputLines: full ? Number.MAX_SAFE_INTEGER : OUTPUT_LINES,
      diffLines: full ? Number.MAX_SAFE_INTEGER : DIFF_LINES,
      write: (text) => {
        this.#status.hide();
        stdout.write(text);
      },
    });
    this.#status.isFree = () => !this.transcript.isMidLine;
  }

  event(event: RunEvent): void {
    this.transcript.event(event);
    const waiting = waitingFor(event);
    if (waiting !== undefined) this.#status.show(waiting);
  }

  /** Says what is waited for. */
  wait(what: string): void {
    this.#status.show(what);
  }

  /** A line that is not part of the transcript: it goes to stderr. */
  tell(line: string): void {
    this.end();
    this.#terminal.stderr.write(`${line}\n`);
  }

  end(): void {
    this.transcript.end();
    this.#status.end();
  }
}

/** What comes after an event, in words; undefined when the event says nothing of that. */
function waitingFor(event: RunEvent): string | undefined {
  const payload = payloadOf(event);
  switch (event.type) {
    case 'tool_begin':
      return `running ${plainLine(payload.text('toolName') ?? 'a tool')}`;
    case 'tool_end':
    case 'assistant_message':
    case 'user_message':
      return 'the agent works';
    case 'backend_status':
      return WAITING[payload.text('phase') ?? ''];
    default:
      return undefined;
  }
}

const WAITING: Readonly<Record<string, string>> = {
  'run-created': 'waiting for a runner',
  'runner-job-created': 'waiting for the runner to start',
  'run-claimed': 'the runner prepares',
  'command-acknowledged': 'the agent works',
  'attempt-lost': 'waiting for another runner',
  'cancel-requested': 'waiting for the end of the turn',
};

import { StatusLine } from '../client/status-line.ts';
import { paints } from '../client/transcript/paint.ts';
import { seconds } from '../client/transcript/tool-block.ts';
import { mayColour, type Terminal } from '../terminal.ts';

const NAME_WIDTH = 9;

/** The steps of the quickstart as they go by: a line for each, with what came of it and its time. */
export class Steps {
  readonly #terminal: Terminal;
  readonly #status: StatusLine;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#status = new StatusLine(terminal.stderr);
  }

  /** Does a step; `meanwhile` says on a terminal what is waited for. The text, and notes below it, say what came of it. */
  async do<Value>(
    name: string,
    meanwhile: string,
    work: () => Promise<readonly [text: string, value: Value, ...notes: string[]]>,
  ): Promise<Value> {
    const begun = performance.now();
    this.#status.show(meanwhile);
    try {
      const [text, value, ...notes] = await work();
      this.#status.end();
      const paint = paints(mayColour(this.#terminal, this.#terminal.stdout));
      const time = paint.dim(`(${seconds(performance.now() - begun)})`);
      this.#terminal.stdout.write(`${paint.strong(name.padEnd(NAME_WIDTH))} ${text} ${time}\n`);
      for (const note of notes) this.say(`${''.padEnd(NAME_WIDTH)} ${note}`);
      return value;
    } finally {
      this.#status.end();
    }
  }

  /** A line of its own. */
  say(line: string): void {
    this.#terminal.stdout.write(`${line}\n`);
  }
}

import type { Paints } from './paint.ts';
import type { Payload } from './payload.ts';
import { cutToWidth, plainLine, plainText } from './plain-text.ts';

/** How much of a transcript is shown. */
export interface TranscriptLimits {
  /** Columns of a line; lines of tools are cut to them. */
  readonly columns: number;
  /** Lines of output that are shown of one tool call. */
  readonly outputLines: number;
  /** Lines that are shown of one diff. */
  readonly diffLines: number;
}

const INDENT = '  ';

/** What one tool call wrote, as lines of a transcript: its head, its output indented and cut, its end. */
export class ToolBlock {
  readonly #paint: Paints;
  readonly #limits: TranscriptLimits;
  #shown = 0;
  #hidden = 0;
  #partial = '';
  #streamed = false;

  constructor(paint: Paints, limits: TranscriptLimits) {
    this.#paint = paint;
    this.#limits = limits;
  }

  /** The line that says what is called: a command as one would type it, another tool with its input. */
  head(begin: Payload): string[] {
    const command = begin.text('command');
    if (command !== undefined) {
      const [first = '', ...more] = plainText(command).trim().split('\n');
      const rest = more.length === 0 ? [] : [this.#cut(`${INDENT}… ${counted(more.length, 'more line')}`)];
      return [this.#paint.tool(this.#cut(`$ ${first}`)), ...rest.map(this.#paint.dim)];
    }
    const what = `* ${plainLine(begin.text('toolName') ?? 'tool')} ${inputText(begin.value('input'))}`.trimEnd();
    return [this.#paint.tool(this.#cut(what))];
  }

  /** Whole lines that came with this piece of output, as far as they are shown. */
  output(text: string): string[] {
    this.#streamed = true;
    const lines = `${this.#partial}${text}`.split('\n');
    this.#partial = lines.pop() ?? '';
    return this.#take(lines);
  }

  /** What is left, and how it ended. Its whole output stands in the end too: shown where nothing came before. */
  end(end: Payload | undefined): string[] {
    const whole = end?.text('output');
    const rest =
      this.#streamed || whole === undefined
        ? this.#take(this.#partial === '' ? [] : [this.#partial])
        : this.#take(
            whole
              .replace(/\n$/, '')
              .split('\n')
              .filter((line, _at, all) => line !== '' || all.length > 1),
          );
    this.#partial = '';
    const more = this.#hidden === 0 ? [] : [this.#paint.dim(`${INDENT}… ${counted(this.#hidden, 'more line')}`)];
    return [...rest, ...more, ...(end === undefined ? [] : this.#outcome(end))];
  }

  #outcome(end: Payload): string[] {
    const [status = 'ok', exitCode, ms] = [end.text('status'), end.number('exitCode'), end.number('durationMs')];
    const facts = [
      ...(status === 'ok' ? [] : [status]),
      ...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
      ...(ms === undefined || ms < 1000 ? [] : [seconds(ms)]),
    ];
    if (status === 'ok' && (exitCode ?? 0) === 0 && (ms ?? 0) < 1000) return [];
    const paint = status === 'ok' ? this.#paint.dim : this.#paint.error;
    return [paint(`${INDENT}(${facts.join(', ')})`)];
  }

  #take(lines: readonly string[]): string[] {
    const room = Math.max(0, this.#limits.outputLines - this.#shown);
    const shown = lines.slice(0, room);
    this.#shown += shown.length;
    this.#hidden += lines.length - shown.length;
    return shown.map((line) => this.#cut(`${INDENT}${plainText(line)}`).trimEnd());
  }

  #cut(line: string): string {
    return cutToWidth(line, this.#limits.columns);
  }
}

/** The input of a tool in one line: a path or a query by itself, anything else as JSON. */
function inputText(input: unknown): string {
  if (input === undefined || input === null) return '';
  if (typeof input === 'string') return plainLine(input);
  const values = Object.values(input);
  const [only] = values;
  return plainLine(values.length === 1 && typeof only === 'string' ? only : JSON.stringify(input));
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A duration for people. */
export function seconds(ms: number): string {
  const whole = Math.round(ms / 1000);
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${(ms / 1000).toFixed(1)} s`;
}

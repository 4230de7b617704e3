import { type Paints, paintedDiffLine } from './paint.ts';
import type { Payload } from './payload.ts';
import { cutToWidth, plainLine, plainText } from './plain-text.ts';
import { counted, type TranscriptLimits } from './tool-block.ts';

const KINDS: Readonly<Record<string, string>> = { add: 'added', update: 'changed', delete: 'deleted' };

/** A change of a file as lines of a transcript: what was done, how many lines, and the difference. */
export class DiffBlock {
  readonly #paint: Paints;
  readonly #limits: TranscriptLimits;

  constructor(paint: Paints, limits: TranscriptLimits) {
    this.#paint = paint;
    this.#limits = limits;
  }

  lines(change: Payload): string[] {
    const path = plainLine(change.text('path') ?? '');
    const moved = change.text('movedTo');
    const what = moved === undefined ? (KINDS[change.text('kind') ?? ''] ?? 'changed') : `moved to ${plainLine(moved)}`;
    const diff = change.text('diff');
    const body = diff === undefined ? [] : bodyOf(diff);
    const count = diff === undefined ? '' : `, +${marked(body, '+')} -${marked(body, '-')}`;
    return [this.#paint.tool(this.#cut(`* ${path}: ${what}${count}`)), ...this.#body(body)];
  }

  #body(lines: readonly string[]): string[] {
    const { diffLines } = this.#limits;
    const shown = lines.slice(0, diffLines).map((line) => this.#cut(`  ${line}`).slice(2));
    const hidden = lines.length - shown.length;
    return [
      ...shown.map((line) => `  ${paintedDiffLine(line, this.#paint)}`.trimEnd()),
      ...(hidden === 0 ? [] : [this.#paint.dim(`  … ${counted(hidden, 'more line')}`)]),
    ];
  }

  #cut(line: string): string {
    return cutToWidth(line, this.#limits.columns);
  }
}

/** The hunks of a diff, without the lines that name the file. */
function bodyOf(diff: string): string[] {
  const lines = plainText(diff).replace(/\n$/, '').split('\n');
  const first = lines.findIndex((line) => line.startsWith('@@'));
  return first < 0 ? lines : lines.slice(first);
}

const marked = (lines: readonly string[], mark: string): number => lines.filter((line) => line.startsWith(mark)).length;

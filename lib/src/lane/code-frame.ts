import { printable } from './characters.ts';
import { countCodePoints } from './line-index.ts';

/** A place in lines of text, counted from 1, columns in code points; the end is exclusive and may be left out. */
export interface FramePlace {
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

export interface FrameOptions {
  /** Lines shown before and after the place; default 2. */
  readonly context?: number;
  /** Most characters shown of a line; default 120. */
  readonly width?: number;
  /** The line as it may be shown, without its secrets; called with the line and its number. */
  readonly mask?: (line: string, number: number) => string;
}

const TAB = '    ';
const CUT = '…';

/** The lines around a place, numbered, with `^~~~` below what is meant. */
export function codeFrame(lines: readonly string[], place: FramePlace, options: FrameOptions = {}): string {
  const { context = 2, width = 120, mask = (line) => line } = options;
  const first = Math.max(1, place.line - context);
  const last = Math.min(lines.length, place.line + context);
  const digits = String(last).length;
  const { from, to, line: marked } = markedLine(lines[place.line - 1] ?? '', place, mask);
  const left = Math.max(0, Math.min(from - Math.floor(width / 2), countCodePoints(marked) - width));
  const rows: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const isMarked = number === place.line;
    const shown = isMarked ? marked : shownLine(mask(lines[number - 1] ?? '', number));
    const gutter = `${isMarked ? '>' : ' '} ${String(number).padStart(digits)} |`;
    rows.push(`${gutter} ${cut(shown, left, width)}`.trimEnd());
    if (!isMarked) continue;
    const start = from - left;
    const length = Math.max(1, Math.min(to - left, width) - start);
    rows.push(`  ${' '.repeat(digits)} | ${' '.repeat(start)}^${'~'.repeat(length - 1)}`);
  }
  return rows.join('\n');
}

/** The line of the place as it is shown, and where in it the marker begins and ends, in code points from 0. */
function markedLine(source: string, place: FramePlace, mask: NonNullable<FrameOptions['mask']>) {
  const points = Array.from(source);
  const start = Math.min(place.column - 1, points.length);
  const sameLine = place.endLine === undefined || place.endLine === place.line;
  const end = sameLine ? Math.min(Math.max(place.endColumn ?? start + 1, start + 1) - 1, points.length) : points.length;
  const masked = Array.from(mask(source, place.line));
  const kept = commonStart(points, masked);
  const keptEnd = Math.min(
    commonStart(points.toReversed(), masked.toReversed()),
    Math.min(points.length, masked.length) - kept,
  );
  const shift = masked.length - points.length;
  // What stands before the masked part keeps its place, what stands behind it moves, what lies in it is all of it.
  const moved = (at: number, inside: number) => (at <= kept ? at : at >= points.length - keptEnd ? at + shift : inside);
  const from = moved(start, kept);
  const to = moved(Math.max(end, start + 1), masked.length - keptEnd);
  const widthOf = (upTo: number) => countCodePoints(shownLine(masked.slice(0, upTo).join('')));
  return { line: shownLine(masked.join('')), from: widthOf(from), to: Math.max(widthOf(to), widthOf(from) + 1) };
}

function commonStart(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count += 1;
  return count;
}

function shownLine(line: string): string {
  return printable(line.replaceAll('\t', TAB));
}

function cut(line: string, left: number, width: number): string {
  if (left === 0 && line.length <= width) return line;
  const points = Array.from(line);
  const part = points.slice(left, left + width);
  if (left > 0 && part.length > 0) part[0] = CUT;
  if (left + width < points.length) part[part.length - 1] = CUT;
  return part.join('');
}

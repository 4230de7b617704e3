/** A place in a text. Lines and columns count from 1, columns in code points; `endColumn` is exclusive. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** Offsets in a text, in UTF-16 units; `end` is exclusive. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** The lines of a text, and where an offset stands in them. Every position that it gives is inside the text. */
export interface LineIndex {
  /** The lines without their line ends. A final line end begins no further line. */
  readonly lines: readonly string[];
  readonly lineOf: (offset: number) => number;
  readonly position: (range: TextRange) => Position;
  /** The range of the text, in offsets, of one line without its line end. */
  readonly rangeOfLine: (line: number) => TextRange;
}

/** Builds the index; costs one pass over the text, so make it only when there is something to report. */
export function indexLines(text: string): LineIndex {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    if (at + 1 < text.length) starts.push(at + 1);
  }
  const rangeOfLine = (line: number): TextRange => {
    const start = starts[line - 1] ?? 0;
    let end = starts[line] ?? text.length;
    if (end > start && text[end - 1] === '\n') end -= 1;
    if (end > start && text[end - 1] === '\r') end -= 1;
    return { start, end };
  };
  const lineOf = (offset: number): number => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
  const place = (offset: number) => {
    const line = lineOf(offset);
    const { start, end } = rangeOfLine(line);
    return { line, column: countCodePoints(text.slice(start, Math.min(offset, end))) + 1 };
  };
  return {
    lines: starts.map((_, index) => {
      const { start, end } = rangeOfLine(index + 1);
      return text.slice(start, end);
    }),
    lineOf,
    rangeOfLine,
    position({ start, end }) {
      const from = place(start);
      const to = end > start ? place(end) : from;
      return { line: from.line, column: from.column, endLine: to.line, endColumn: to.column };
    },
  };
}

/** Number of code points; a half of a surrogate pair counts as one. */
export function countCodePoints(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    count += 1;
    if ((text.codePointAt(at) ?? 0) > 0xffff) at += 1;
  }
  return count;
}

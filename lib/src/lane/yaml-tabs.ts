import { isCollection, isPair, isScalar } from 'yaml';
import type { TextFinding } from './finding.ts';
import type { LineIndex, TextRange } from './line-index.ts';

/**
 * Tabs outside of comments. Editors show them in different widths, so that what looks aligned is not; in a value a tab
 * is written `\t` within double quotes. One finding for each run of neighbouring lines.
 */
export function tabFindings(text: string, contents: unknown, index: () => LineIndex): TextFinding[] {
  if (!text.includes('\t')) return [];
  const scalars: TextRange[] = [];
  collectScalars(contents, scalars);
  const { lines, rangeOfLine } = index();
  const bad: { line: number; offset: number; leading: boolean }[] = [];
  for (const [at, line] of lines.entries()) {
    const column = firstTab(line, rangeOfLine(at + 1).start, scalars);
    if (column === undefined) continue;
    bad.push({
      line: at + 1,
      offset: rangeOfLine(at + 1).start + column,
      leading: line.slice(0, column).trim() === '',
    });
  }
  const findings: TextFinding[] = [];
  for (let first = 0; first < bad.length; ) {
    let next = first + 1;
    while (bad[next]?.line === (bad[next - 1]?.line ?? 0) + 1) next += 1;
    const { offset = 0, leading = false, line = 1 } = bad[first] ?? {};
    const last = bad[next - 1]?.line ?? line;
    const also = last > line ? ` (and so are lines up to ${last})` : '';
    findings.push({
      code: 'lane-syntax',
      message: leading ? `this line is indented with a tab${also}` : 'a tab stands here',
      hint: leading ? 'Indent with spaces, two a level.' : 'Use a space; in a value write \\t within double quotes.',
      start: offset,
      end: offset + 1,
    });
    first = next;
  }
  return findings;
}

function firstTab(line: string, start: number, scalars: readonly TextRange[]): number | undefined {
  for (let at = line.indexOf('\t'); at !== -1; at = line.indexOf('\t', at + 1)) {
    if (!inComment(line, at, start, scalars)) return at;
  }
  return undefined;
}

function inComment(line: string, at: number, start: number, scalars: readonly TextRange[]): boolean {
  for (const match of line.slice(0, at).matchAll(/(?:^|[ \t])#/g)) {
    const hash = start + match.index + match[0].length - 1;
    if (!scalars.some((scalar) => scalar.start <= hash && hash < scalar.end)) return true;
  }
  return false;
}

function collectScalars(node: unknown, into: TextRange[]): void {
  if (isPair(node)) {
    collectScalars(node.key, into);
    collectScalars(node.value, into);
  } else if (isCollection(node)) {
    for (const item of node.items) collectScalars(item, into);
  } else if (isScalar(node) && node.range) into.push({ start: node.range[0], end: node.range[1] });
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeFrame } from '../../../lib/src/lane/code-frame.ts';

const lines = ['one: 1', 'two:', '  three: 3', 'four: 4', 'five: 5', 'six: 6'];

/** Text above the marker, in code points. */
function marked(frame: string): string {
  const rows = frame.split('\n');
  const at = rows.findIndex((row) => row.startsWith('>'));
  const [, marker = ''] = rows.slice(at);
  const from = marker.indexOf('^');
  const length = marker.length - from;
  return Array.from(rows[at] ?? '')
    .slice(from, from + length)
    .join('');
}

describe('a code frame', () => {
  it('shows two lines before and after, numbered, with a marker', () => {
    expect(codeFrame(lines, { line: 3, column: 3, endLine: 3, endColumn: 8 })).toBe(
      ['  1 | one: 1', '  2 | two:', '> 3 |   three: 3', '    |   ^~~~~', '  4 | four: 4', '  5 | five: 5'].join('\n'),
    );
  });

  it('ends at the ends of the file', () => {
    expect(codeFrame(lines, { line: 1, column: 1 }, { context: 1 })).toBe(
      ['> 1 | one: 1', '    | ^', '  2 | two:'].join('\n'),
    );
    expect(codeFrame([''], { line: 1, column: 1 })).toBe('> 1 |\n    | ^');
  });

  it('aligns the numbers', () => {
    const many = Array.from({ length: 12 }, (_, index) => `k${index}: v`);
    expect(codeFrame(many, { line: 10, column: 1 }, { context: 1 }).split('\n')).toEqual([
      '   9 | k8: v',
      '> 10 | k9: v',
      '     | ^',
      '  11 | k10: v',
    ]);
  });

  it('counts columns in code points', () => {
    expect(marked(codeFrame(['a: "🚀🚀", b: c'], { line: 1, column: 10, endLine: 1, endColumn: 11 }))).toBe('b');
  });

  it('shows a tab as four spaces and marks behind it', () => {
    const frame = codeFrame(['\ta:\tb'], { line: 1, column: 5, endLine: 1, endColumn: 6 });
    expect(frame.split('\n')[0]).toBe('> 1 |     a:    b');
    expect(marked(frame)).toBe('b');
  });

  it('shows no control character', () => {
    expect(codeFrame(['a: \u001b[31mred'], { line: 1, column: 1 })).toContain('a: \\u001b[31mred');
  });

  it('marks up to the end of the line what goes on below', () => {
    expect(marked(codeFrame(['a: "x', '  y"'], { line: 1, column: 4, endLine: 2, endColumn: 5 }))).toBe('"x');
  });

  it('cuts long lines around the place', () => {
    const long = `${'x'.repeat(500)}HERE${'y'.repeat(500)}`;
    const frame = codeFrame([long], { line: 1, column: 501, endLine: 1, endColumn: 505 });
    const [row = ''] = frame.split('\n');
    expect(marked(frame)).toBe('HERE');
    expect(Array.from(row).length).toBeLessThanOrEqual(126);
    expect(row).toMatch(/^> 1 \| …x+HEREy+…$/);
  });

  it('moves the marker along when the line is masked before it, and marks all of a mask', () => {
    const mask = (line: string) => line.replace('hunter2-is-long', '[secret]');
    const line = 'a: { t: hunter2-is-long, bad: 1 }';
    expect(marked(codeFrame([line], { line: 1, column: 26, endLine: 1, endColumn: 29 }, { mask }))).toBe('bad');
    expect(marked(codeFrame([line], { line: 1, column: 9, endLine: 1, endColumn: 24 }, { mask }))).toBe('[secret]');
    expect(marked(codeFrame([line], { line: 1, column: 6, endLine: 1, endColumn: 7 }, { mask }))).toBe('t');
  });

  it('marks what stands at the place, for any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 }).filter((text) => !/[\n\r]/.test(text)),
        fc.nat(),
        (text, seed) => {
          const column = (seed % Array.from(text).length) + 1;
          const frame = codeFrame([text], { line: 1, column });
          expect(frame.split('\n')).toHaveLength(2);
          expect(frame.split('\n')[1]).toMatch(/^ {4}\| +\^~*$/);
        },
      ),
    );
  });
});

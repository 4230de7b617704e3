import { expect, it } from 'vitest';
import { visibleLines, visibleName } from '../../../synth/src/report/visible-text.ts';

it('takes any line ending and drops the space at the end of lines and blank lines at the ends', () => {
  expect(visibleLines('a \r\nb\t\rc\n\n d')).toEqual(['a', 'b', 'c', '', ' d']);
  expect(visibleLines('\r\n \n  a\n \n')).toEqual(['  a']);
  expect(visibleLines(' \n')).toEqual([]);
});

it('shows control characters, direction marks and halves of surrogate pairs as escapes', () => {
  expect(visibleLines('\0\u001b\u007f\u009b\u202e\u2028\ufeff\ud800x')).toEqual([
    '\\u0000\\u001b\\u007f\\u009b\\u202e\\u2028\\ufeff\\ud800x',
  ]);
});

it('leaves everything else, tabs included', () => {
  expect(visibleLines('\tGröße 日本 😀 \\u0000')).toEqual(['\tGröße 日本 😀 \\u0000']);
});

it('keeps a name on one line', () => {
  expect(visibleName('a\r\nb\tc ')).toBe('a\\u000d\\u000ab\\u0009c');
});

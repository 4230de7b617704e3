import { stripVTControlCharacters } from 'node:util';

// Besides tab and line feed: what could steer the terminal, and what makes a line read as another one.
const HIDDEN = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u;
const NARROW = /\p{Mark}|\u200d/u;
const TAB = '    ';

/**
 * What an agent or its tools wrote, as it may stand on a terminal: colours and other sequences gone, hidden characters
 * as escapes. Of a line that was written over, as progress bars do, the last state stays.
 */
export function plainText(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\r+\n/g, '\n')
    .replaceAll(/[^\n]*\r(?=[^\n])/g, '')
    .replaceAll('\r', '')
    .replaceAll('\t', TAB)
    .replaceAll(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same for what must be one line. */
export function plainLine(text: string): string {
  return plainText(text)
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
}

/** As much of a line as fits into so many columns, with "…" where something was cut. */
export function cutToWidth(line: string, columns: number): string {
  // Without a character that is wide the length is the width, or more.
  if (line.length <= columns && !WIDE.test(line)) return line;
  let [width, kept, keptShort] = [0, '', ''];
  for (const character of line) {
    width += NARROW.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
    if (width > columns) return `${keptShort}…`;
    kept += character;
    if (width < columns) keptShort = kept;
  }
  return line;
}

// Control characters could steer the terminal, and direction marks could make a line read as another one.
const HIDDEN = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

/**
 * The lines of a text for people: any line ending, no space at the end of a line, no blank line before the first or
 * after the last, hidden characters written as escapes.
 */
export function visibleLines(text: string): string[] {
  const plain = text.replaceAll(/\r\n?/g, '\n').replaceAll(HIDDEN, escaped);
  const lines = plain.split('\n').map((line) => line.replace(/[ \t]+$/, ''));
  const isFilled = (line: string): boolean => line !== '';
  return lines.slice(Math.max(0, lines.findIndex(isFilled)), lines.findLastIndex(isFilled) + 1);
}

/** A text that stands within one line: as {@link visibleLines}, with line endings and tabs as escapes too. */
export function visibleName(text: string): string {
  return text
    .replaceAll(/[\t\n]/g, escaped)
    .replaceAll(HIDDEN, escaped)
    .trimEnd();
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

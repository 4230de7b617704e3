/**
 * Characters that a lane may not hold: they are invisible, change how a terminal or a reader shows a line, or are
 * read differently by other YAML readers. Line feed and tab are judged elsewhere.
 */
const UNWANTED = /(?![\t\n\r])\p{Cc}|\r(?!\n)|\p{Cs}|[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu;

export interface UnwantedCharacter {
  /** Offset in UTF-16 units. */
  readonly offset: number;
  /** As people write it, for example `U+0007`. */
  readonly name: string;
}

/** Every unwanted character of a text, in order. */
export function unwantedCharacters(text: string): UnwantedCharacter[] {
  if (text.search(UNWANTED) === -1) return [];
  return [...text.matchAll(UNWANTED)].map((match) => ({ offset: match.index, name: nameOf(match[0]) }));
}

/** The same text, as long, with U+FFFD in place of each unwanted character. */
export function withoutUnwanted(text: string): string {
  return text.replace(UNWANTED, '\ufffd');
}

/** The text with each unwanted character, and each line feed and tab, as an escape: fit for one line of a terminal. */
export function printable(text: string): string {
  return text.replace(UNWANTED, escape).replace(/[\n\r\t]/g, escape);
}

function nameOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function escape(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}

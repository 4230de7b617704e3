import { AgentRunError } from '../errors.ts';

/** Words that a reader of YAML 1.1 or 1.2 takes for something else than a string. */
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|e[-+]?[0-9]+)$/i;

/** Texts that need no quotes for any reader: begin with a letter, "_" or "/", and hold nothing that YAML reads. */
const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./@+=-]*(?:[ :][A-Za-z0-9_./@+=-]+)*$/;

/** What no reader, or not every reader, gives back as it was: control characters, line separators, BOM, half pairs. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** A string that can be written as a literal block: no line begins with white space or ends with it. */
const BLOCK = /^(?:[^\s][^\n]*\n)(?:(?:[^\t\n][^\n]*)?\n)*(?:[^\t\n][^\n]*)?$/;

const SPACE_AT_END = [' ', '\t'];

/** Whether a string may be written at all. */
export const isSafeText = (text: string): boolean => !UNSAFE.test(text);

/** Whether the string is written as a literal block scalar. */
export const isBlock = (text: string): boolean =>
  text.includes('\n') &&
  !text.endsWith('\n\n') &&
  !SPACE_AT_END.some((space) => text.endsWith(space) || text.includes(`${space}\n`)) &&
  BLOCK.test(text);

/** Whether every reader takes the text for the same string without quotes. */
export const isPlain = (text: string): boolean => PLAIN.test(text) && !RESERVED.test(text);

/** A number that readers of YAML 1.1 and 1.2 take for the same number; no exponents. */
export function numberText(value: number): string {
  const text = String(value);
  if (!/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/.test(text) || Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new AgentRunError('output-text', `the number ${text} has no form that every YAML reader takes alike`);
  }
  return text;
}

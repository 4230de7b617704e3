/** Secrets that are told by the name before them: `password=...`, `"apiKey": "..."`, `--token ...`. */
import { isAddress, isNoValue, isNumber, isPlainName, isReference } from './benign-value.ts';

/** The place of a value that stands behind a telling name. */
export interface SecretPair {
  readonly shape: string;
  readonly start: number;
  readonly end: number;
}

interface Value {
  readonly text: string;
  readonly start: number;
  readonly quoted: boolean;
}

const NAME =
  /(?:(?<password>passw(?:or)?d|passphrase|(?<![a-z])pwd)|(?<token>token|(?:api|access|secret|private|account|signing|encryption)[-_]?key)|secret|credentials?)(?<close>\\{0,3}["']?)(?:[ \t]{0,8}(?<sign>:?=(?![=>~])|:-|:(?![:?+]|\/\/))[ \t]{0,8}|[ \t]{1,8}(?=[^\s=:-]))/gi;
const FLAG = /(?:^|[\s"'`=(,[\\])--?[A-Za-z0-9-]{0,60}$/;
/** Read whole, though they hold characters that end other values. */
const REFERRED =
  /(?:\$\$?\([^)\n]{0,512}\)|\$?\{\{[^}\n]{0,256}\}\}|\$\{[^}\n]{0,256}\}|`[^`\n]{0,512}`|<[^<>\n]{0,64}>|\[[a-z]{1,12}\])[^\s"'`,;&<>\\|(){}[\]]{0,512}/y;
/** Up to white space, a quote, an escape, or a separator that ends the word or stands before the next pair. */
const IN_BARE = String.raw`(?:[^\s"'\`\\&;,]|\\(?![nrtu"'\\])|[&;,](?![\s&;,]|$|amp;|[\w.%-]{1,64}=))`;
/** Bounded, so that values that turn out to be none do not add up; a secret is read on to its end. */
const BARE = new RegExp(String.raw`[^\s"'\`,;<>(){}[\]|&=\\]${IN_BARE}{0,1023}`, 'y');
const BARE_REST = new RegExp(`${IN_BARE}*`, 'y');
const CODE = /^[A-Za-z_$][\w$.]{0,128}(?:\(|\[)/;
const QUALIFIED_NAME = /^[A-Za-z_$]+(?:\.[A-Za-z_$]+)+$/;

function quotedAt(text: string, at: number, quote: string): Value {
  const start = at + quote.length;
  const close = text.indexOf(quote, start);
  const rest = text.slice(start, close === -1 ? text.length : close);
  const line = rest.indexOf('\n');
  return { text: line === -1 ? rest : rest.slice(0, line), start, quoted: true };
}

function valueAt(text: string, at: number): Value | undefined {
  const quote = /^\\{0,3}["']/.exec(text.slice(at, at + 4))?.[0];
  if (quote !== undefined) return quotedAt(text, at, quote);
  REFERRED.lastIndex = at;
  const referred = REFERRED.exec(text)?.[0];
  if (referred !== undefined) return { text: referred, start: at, quoted: false };
  BARE.lastIndex = at;
  const bare = BARE.exec(text)?.[0];
  if (bare === undefined) return undefined;
  let end = bare.length;
  while (end > 0 && ')]}>.,;:!?|<&'.includes(bare.charAt(end - 1))) end -= 1;
  return { text: bare.slice(0, end), start: at, quoted: false };
}

/** Where a secret stops that may be longer than what was read of it. */
function endOf(value: Value, text: string): number {
  const end = value.start + value.text.length;
  if (value.quoted || value.text.length < 1000) return end;
  BARE_REST.lastIndex = end;
  return end + (BARE_REST.exec(text)?.[0].length ?? 0);
}

/** A flag and its value are apart by a space, and so are the words of a sentence. */
function isFlagValue(value: Value, text: string): boolean {
  if (value.quoted) return true;
  if (/^[A-Z][A-Z_]*$/.test(value.text)) return false;
  if (!/^[a-z]+$/.test(value.text)) return true;
  const end = value.start + value.text.length;
  return /^(?:\s*$|[ \t]*(?:[\\;&|"'\n]|-))/.test(text.slice(end, end + 16));
}

/** After a colon also sentences go on, and names of Secrets stand. */
function isColonValue(value: Value, kind: 'password' | 'token' | 'secret', nameQuoted: boolean, text: string): boolean {
  if (!isPlainName(value.text)) return !/\s/.test(value.text) || kind !== 'secret';
  if (kind === 'secret') return false;
  if (value.quoted) return kind === 'password' || nameQuoted;
  const end = value.start + value.text.length;
  return kind === 'password' && /^[ \t]*(?:[\n\r,;})\]\\"']|$)/.test(text.slice(end, end + 16));
}

/** All values that stand behind a telling name, in the order of their place. Time linear in the text. */
export function findSecretPairs(text: string): SecretPair[] {
  const pairs: SecretPair[] = [];
  // Most texts hold none; a search costs them far less than an iterator.
  if (text.search(NAME) === -1) return pairs;
  let done = 0;
  for (const match of text.matchAll(NAME)) {
    if (match.index < done) continue;
    const groups = match.groups ?? {};
    const value = valueAt(text, match.index + match[0].length);
    if (value === undefined || isNoValue(value.text) || isReference(value.text) || isAddress(value.text)) continue;
    const kind = groups['password'] !== undefined ? 'password' : groups['token'] !== undefined ? 'token' : 'secret';
    if (isNumber(value.text) && (kind !== 'password' || value.text.length < 4)) continue;
    const sign = groups['sign'];
    if (!value.quoted && CODE.test(value.text)) continue;
    if (sign === undefined) {
      if (!FLAG.test(text.slice(Math.max(0, match.index - 64), match.index)) || !isFlagValue(value, text)) continue;
    } else if (sign === ':') {
      if (!isColonValue(value, kind, groups['close'] !== '', text)) continue;
    } else if (!value.quoted && / /.test(match[0]) && QUALIFIED_NAME.test(value.text)) continue;
    done = endOf(value, text);
    pairs.push({ shape: sign === undefined ? `${kind}-flag` : `${kind}-value`, start: value.start, end: done });
  }
  return pairs;
}

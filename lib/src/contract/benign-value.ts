/** What stands where a secret could stand, and is none: references, marks, numbers, paths, addresses. */
import { findOpaqueSecret } from './opaque-secret.ts';

/** `$(NAME)`, `${NAME}`, `$NAME`, `$1`, `{{ name }}`, `${{ name }}`, `{env:NAME}`, a command substitution. */
const REFERENCE =
  /\$\$?\([^)]{0,512}\)?|\$?\{\{[^}]{0,256}\}\}|\{(?:env|file):[^}]{1,256}\}|\$\{[A-Za-z_][A-Za-z0-9_.]{0,128}(?::?[?+][^}]{0,256}|:?-)?\}|\$(?:[A-Z_][A-Z0-9_]{0,128}|[a-z_]{1,128}|[0-9@*#])|`[^`]{0,512}`?/g;
const PLACEHOLDER = /^(?:<[^<>]{0,64}>|\[(?:secret|redacted|hidden|masked)\]|[*x.•_-]{2,}|%[A-Z_]{1,64}%)$/i;
const NO_VALUE =
  /^(?:true|false|yes|no|on|off|null|none|nil|undefined|string|number|boolean|object|required|optional|redacted|hidden|masked|not-used|empty|unset)$/i;
const NUMBER = /^[+-]?(?:[0-9]{1,32}(?:\.[0-9]{0,32})?|\.[0-9]{1,32})(?:e[+-]?[0-9]{1,4})?$/i;
const ROOTED_PATH = /^(?:(?:~|\.{1,2})?\/|[A-Za-z]:\\)[^\s'"`$]*$/;
const RELATIVE_PATH = /^[A-Za-z0-9_.@-]+(?:\/[A-Za-z0-9_.@-]+)+\/?$/;
const URL = /^[A-Za-z][A-Za-z0-9+.-]{0,30}:\/\/[^\s]*$/;

/** Whether the text only refers to a value that lives elsewhere, or marks a place where one was taken out. */
export function isReference(text: string): boolean {
  if (PLACEHOLDER.test(text)) return true;
  if (!/[$`]|\{\{|\{(?:env|file):/.test(text)) return false;
  const rest = text.replace(REFERENCE, '');
  return rest !== text && !/[A-Za-z0-9]{4}/.test(rest);
}

/** Words that say "no value here", such as `null`, `false` or `string`. */
export function isNoValue(text: string): boolean {
  return text === '' || NO_VALUE.test(text);
}

export function isNumber(text: string): boolean {
  return NUMBER.test(text);
}

/** A name made of words and short codes, such as `agentrun-v01-db` or `JSON.parse`. */
export function isPlainName(text: string): boolean {
  return (
    text.length <= 128 &&
    text.split(/[-_./:]/).every((part) => /^(?:[A-Za-z]*|[A-Za-z0-9]{1,4}|[0-9]{1,8})$/.test(part))
  );
}

/** A URL, or an absolute or relative file path of which no part looks random. A password in a URL is found elsewhere. */
export function isAddress(text: string): boolean {
  if (URL.test(text)) return true;
  const path = ROOTED_PATH.test(text) || (RELATIVE_PATH.test(text) && text.split(/[/@]/).every(isPlainName));
  return path && findOpaqueSecret(text) === undefined;
}

/**
 * What the text of an environment variable must be: each parser returns the value, or throws a
 * {@link ValueError} that says what was expected. The text itself never stands in the message: it may be a secret.
 */
export class ValueError extends Error {}

/** Reads the text of one variable. Throws {@link ValueError} for a text that is not right. */
export type Parser<T> = (text: string) => T;

export const text: Parser<string> = (value) => {
  if (value.trim() === '') throw new ValueError('must not be empty');
  return value;
};

export const positiveInteger: Parser<number> = (value) => integer(value, 1);
export const nonNegativeInteger: Parser<number> = (value) => integer(value, 0);

function integer(value: string, minimum: number): number {
  const number = /^(0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < minimum) {
    throw new ValueError(`must be an integer of at least ${minimum}, in decimal digits`);
  }
  return number;
}

export const port: Parser<number> = (value) => {
  const number = integer(value, 1);
  if (number > 65535) throw new ValueError('must be a port, 1 to 65535');
  return number;
};

export const bool: Parser<boolean> = (value) => {
  if (value !== 'true' && value !== 'false') throw new ValueError('must be "true" or "false"');
  return value === 'true';
};

export const commit: Parser<string> = (value) => {
  if (!/^[0-9a-f]{40}$/.test(value)) throw new ValueError('must be a commit id of 40 lower-case hex digits');
  return value;
};

export const url =
  (...protocols: string[]): Parser<string> =>
  (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (!parsed || !protocols.includes(parsed.protocol)) {
      throw new ValueError(`must be a URL that begins with ${protocols.map((name) => `${name}//`).join(' or ')}`);
    }
    return value;
  };

export const oneOf =
  <const T extends string>(...allowed: readonly T[]): Parser<T> =>
  (value) => {
    const found = allowed.find((item) => item === value);
    if (found === undefined) throw new ValueError(`must be ${allowed.map((item) => `"${item}"`).join(' or ')}`);
    return found;
  };

/** A comma-separated list; items are trimmed and empty ones dropped. */
export const list =
  (minimum: number): Parser<readonly string[]> =>
  (value) => {
    const items = value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    if (items.length < minimum) throw new ValueError(`must be a comma-separated list of at least ${minimum}`);
    return items;
  };

export const stagesOf =
  <const T extends string>(allowed: readonly T[]): Parser<readonly T[]> =>
  (value) =>
    list(1)(value).map((item) => oneOf(...allowed)(item));

/** A JSON object of non-empty strings. */
export const stringMap: Parser<Readonly<Record<string, string>>> = (value) => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    throw new ValueError('must be a JSON object with string values');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ValueError('must be a JSON object with string values');
  }
  const entries = Object.entries(parsed);
  if (entries.length === 0 || !entries.every(([, item]) => typeof item === 'string' && item !== '')) {
    throw new ValueError('must be a JSON object with at least one entry, all values non-empty strings');
  }
  return Object.fromEntries(entries) as Record<string, string>;
};

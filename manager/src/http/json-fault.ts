/** Where a text stops being JSON, and what should stand there; lines and columns from 1, columns in UTF-16 units. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  readonly what: string;
}

const SPACE = /[ \t\n\r]*/y;
const WORD = /true|false|null/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;

/**
 * Finds the fault that made JSON.parse refuse a text; its own message quotes the text and does not always say where.
 * Takes time linear in the text, and no stack.
 */
export function findJsonFault(text: string): JsonFault {
  const closers: ('}' | ']')[] = [];
  let at = 0;
  let expecting: 'value' | 'key' | 'first-key' | 'first-item' | 'next' = 'value';
  for (;;) {
    at = after(SPACE, text, at) ?? at;
    const sign = text.charAt(at);
    if (expecting === 'next') {
      const closer = closers.at(-1);
      if (closer === undefined) return fault(text, at, sign === '' ? 'unexpected end' : 'more text after the value');
      if (sign === ',') expecting = closer === '}' ? 'key' : 'value';
      else if (sign === closer) closers.pop();
      else return fault(text, at, `expected "," or "${closer}"`);
      at += 1;
    } else if (expecting === 'key' || expecting === 'first-key') {
      if (sign === '}' && expecting === 'first-key') {
        closers.pop();
        expecting = 'next';
        at += 1;
        continue;
      }
      if (sign !== '"') return fault(text, at, 'expected a key in double quotes');
      const end = endOfText(text, at);
      if (typeof end !== 'number') return end;
      at = after(SPACE, text, end) ?? end;
      if (text.charAt(at) !== ':') return fault(text, at, 'expected ":"');
      expecting = 'value';
      at += 1;
    } else if (sign === ']' && expecting === 'first-item') {
      closers.pop();
      expecting = 'next';
      at += 1;
    } else if (sign === '{' || sign === '[') {
      closers.push(sign === '{' ? '}' : ']');
      expecting = sign === '{' ? 'first-key' : 'first-item';
      at += 1;
    } else {
      const end = sign === '"' ? endOfText(text, at) : (after(WORD, text, at) ?? after(NUMBER, text, at));
      if (end === undefined) return fault(text, at, valueWanted(sign));
      if (typeof end !== 'number') return end;
      expecting = 'next';
      at = end;
    }
  }
}

function valueWanted(sign: string): string {
  if (sign === "'") return 'texts stand in double quotes';
  return sign === ']' || sign === '}' ? 'expected a value: a comma stands before the end' : 'expected a value';
}

function endOfText(text: string, start: number): number | JsonFault {
  for (let at = start + 1; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) return at + 1;
    if (unit < 0x20) return fault(text, at, 'a control character must be escaped, such as a line break by \\n');
    if (unit === 0x5c) {
      const end = after(ESCAPE, text, at + 1);
      if (end === undefined) return fault(text, at, 'this escape is not known');
      at = end - 1;
    }
  }
  return fault(text, text.length, 'a text has no end');
}

function after(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function fault(text: string, at: number, what: string): JsonFault {
  const before = text.slice(0, at);
  const start = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return { line, column: at - start + 1, what: at >= text.length ? `${what}, but the text ends` : what };
}

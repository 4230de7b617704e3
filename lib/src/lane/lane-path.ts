/**
 * Places in a lane: the keys and list indexes from the root down.
 *
 * Written as text they are dotted, `deployment.runner.noProxyExtra[0]`; a key that is not a plain word stands in
 * brackets, `matchLabels["app.kubernetes.io/component"]`.
 */
export type LanePath = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const STEP = /(?:^|\.)([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]/y;

/** The dotted form; the root is the empty text. */
export function formatLanePath(path: LanePath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (PLAIN_KEY.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** Reads the dotted form. Throws a RangeError when the text is not one: that is a fault of the caller. */
export function parseLanePath(text: string): LanePath {
  const path: (string | number)[] = [];
  let at = 0;
  while (at < text.length) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (match === null) throw new RangeError(`not a lane path: ${JSON.stringify(text)}`);
    const [whole, key, index, quoted] = match;
    if (key !== undefined) path.push(key);
    else if (index !== undefined) path.push(Number(index));
    else path.push(JSON.parse(quoted ?? '""') as string);
    at += whole.length;
  }
  return path;
}

/** Reads a JSON pointer such as ajv gives. Digits become indexes only where `value` holds a list. */
export function pathOfPointer(pointer: string, value: unknown): LanePath {
  const path: (string | number)[] = [];
  let here = value;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const step = Array.isArray(here) ? Number(key) : key;
    path.push(step);
    here = valueAt(here, [step]);
  }
  return path;
}

/** Whether `path` is `ancestor` or a place below it. */
export function isWithin(path: LanePath, ancestor: LanePath): boolean {
  return path.length >= ancestor.length && ancestor.every((step, index) => path[index] === step);
}

/** The value at a path; undefined when nothing stands there. */
export function valueAt(value: unknown, path: LanePath): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}

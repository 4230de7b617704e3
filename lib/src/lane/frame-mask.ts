import { isMap, isPair, isScalar, isSeq, type YAMLMap } from 'yaml';
import { findSecrets, maskSecrets, SECRET_MARK } from '../contract/secret-shapes.ts';
import type { LineIndex, TextRange } from './line-index.ts';
import { isSecretPair } from './secret-pair.ts';

/** A variable and its value on one line: what is left to go by where the YAML tree is broken. */
const VARIABLE =
  /(?<name>\b[A-Z_][A-Z0-9_]*)["']?\s*:\s+(?<value>"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^\s{[|>&*!#"'](?:[^#]|\S#)*)/g;

/** Gives the function that hides the secrets of a line of a lane file, so that the line may be shown. */
export function lineMask(
  { root, text }: { readonly root: unknown; readonly text: string },
  index: LineIndex,
): (line: string, number: number) => string {
  const found: TextRange[] = [];
  collect(root, undefined, found);
  // A private key goes over many lines, of which none tells by itself what it is.
  const secrets = merged([...found, ...findSecrets(text)]);
  // Neighbouring problems show the same lines.
  const masked = new Map<number, string>();
  return (line, number) => {
    const known = masked.get(number);
    if (known !== undefined) return known;
    const { start, end } = index.rangeOfLine(number);
    let shown = line;
    for (const secret of secrets.toReversed()) {
      if (secret.end <= start || secret.start >= end) continue;
      const from = secret.start > start ? secret.start - start : line.length - line.trimStart().length;
      shown = shown.slice(0, from) + SECRET_MARK + shown.slice(Math.min(secret.end, end) - start);
    }
    const safe = maskSecrets(shown.replace(VARIABLE, maskVariable));
    masked.set(number, safe);
    return safe;
  };
}

function merged(ranges: readonly TextRange[]): TextRange[] {
  const result: TextRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last === undefined || range.start >= last.end) result.push(range);
    else result[result.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
  }
  return result;
}

function maskVariable(pair: string, name: string, value: string): string {
  const text = value.replace(/^["']|["']$/g, '').trim();
  if (text === SECRET_MARK || !isSecretPair(name, text)) return pair;
  return pair.slice(0, pair.length - value.length) + SECRET_MARK;
}

function collect(node: unknown, name: string | undefined, into: TextRange[]): void {
  if (isMap(node)) {
    for (const item of node.items) {
      if (isPair(item)) collect(item.value, nameOfValue(node, item.key), into);
    }
  } else if (isSeq(node)) {
    for (const item of node.items) collect(item, name, into);
  } else if (isScalar(node) && typeof node.value === 'string' && node.range && node.range[1] > node.range[0]) {
    if (isSecretPair(name ?? '', node.value)) into.push({ start: node.range[0], end: node.range[1] });
  }
}

/** The variable that a value belongs to; of `{name: X, value: Y}` it is X. */
function nameOfValue(map: YAMLMap, key: unknown): string | undefined {
  const own = isScalar(key) ? String(key.value) : undefined;
  const name = own === 'value' ? map.get('name') : own;
  return typeof name === 'string' ? name : own;
}

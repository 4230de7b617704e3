import { isAlias, isMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { unwantedCharacters } from './characters.ts';
import type { TextFinding } from './finding.ts';
import { formatLanePath, type LanePath } from './lane-path.ts';

/** A lane is about six levels deep. */
const DEEPEST = 40;
const PLAIN_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?$/;

/** The plain value of a YAML document, and what stood in the way of reading it. */
export interface YamlValue {
  readonly value: unknown;
  readonly findings: TextFinding[];
  /** Places whose value cannot be judged, because the finding about them says it all. */
  readonly unreadable: LanePath[];
  /** Mappings from which a field may seem missing, because a key of theirs could not be read. */
  readonly incomplete: LanePath[];
  /** Numbers that are not written the plain way: `0o17`, `017`, `1e3`, `8080.0`. */
  readonly oddNumbers: { readonly path: LanePath; readonly finding: TextFinding }[];
}

export interface ReadOptions {
  readonly lineOf: (offset: number) => number;
  /** Offsets of characters that were replaced in the text, in order. */
  readonly replaced: readonly number[];
}

/** Reads the tree of nodes as plain objects, lists and scalars. Never expands an alias. */
export function readYamlValue(root: unknown, options: ReadOptions): YamlValue {
  const findings: TextFinding[] = [];
  const unreadable: LanePath[] = [];
  const incomplete: LanePath[] = [];
  const oddNumbers: { path: LanePath; finding: TextFinding }[] = [];

  const refuse = (path: LanePath, finding: TextFinding) => {
    findings.push(finding);
    unreadable.push(path);
  };

  const read = (node: unknown, path: LanePath): unknown => {
    if (node === null || node === undefined) return null;
    if (isAlias(node)) {
      unreadable.push(path);
      return null;
    }
    if (path.length > DEEPEST) {
      const start = (isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined) ?? 0;
      refuse(path, {
        code: 'lane-syntax',
        message: `the file is nested more than ${DEEPEST} levels deep`,
        start,
        end: start,
      });
      return null;
    }
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.tag !== undefined) unreadable.push(path);
    if (isMap(node)) return readMap(node, path);
    if (isSeq(node)) return node.items.map((item, index) => read(item, [...path, index]));
    if (isScalar(node)) return readScalar(node, path);
    return null;
  };

  const readMap = (map: YAMLMap, path: LanePath): Record<string, unknown> => {
    const value: Record<string, unknown> = {};
    const first = new Map<string, number>();
    for (const pair of map.items) {
      const key = readKey(pair, map);
      if (key === undefined) {
        incomplete.push(path);
        continue;
      }
      const { text, start, end } = key;
      const earlier = first.get(text);
      if (earlier !== undefined) {
        const where = path.length === 0 ? 'the lane' : formatLanePath(path);
        findings.push({
          code: 'lane-duplicate-key',
          message: `the key ${JSON.stringify(text)} stands twice in ${where}; the first is in line ${options.lineOf(earlier)}`,
          start,
          end,
          path: [...path, text],
        });
        continue;
      }
      first.set(text, start);
      value[text] = read(pair.value, [...path, text]);
    }
    return value;
  };

  /** The key as a text, when it is one that a lane may have. */
  const readKey = (pair: Pair, map: YAMLMap): { text: string; start: number; end: number } | undefined => {
    const { key } = pair;
    const range = isMap(key) || isSeq(key) || isScalar(key) || isAlias(key) ? key.range : undefined;
    const start = range?.[0] ?? map.range?.[0] ?? 0;
    const end = range?.[1] ?? start;
    if (isAlias(key)) return undefined;
    if (!isScalar(key) || typeof key.value !== 'string') {
      const found =
        isScalar(key) && key.value !== null ? `the ${typeof key.value} ${key.source ?? ''}`.trim() : undefined;
      findings.push({
        code: 'lane-key',
        message: `a key must be a text, found ${found ?? (isMap(key) ? 'a mapping' : isSeq(key) ? 'a list' : 'an empty key')}`,
        ...(found === undefined ? {} : { hint: `Put it in quotes: "${isScalar(key) ? (key.source ?? '') : ''}".` }),
        start,
        end,
      });
      return undefined;
    }
    if (key.value === '<<') {
      findings.push({ code: 'lane-alias', message: 'the merge key "<<" is not allowed in a lane', start, end });
      return undefined;
    }
    if (key.value === '__proto__') {
      findings.push({ code: 'lane-key', message: 'the key "__proto__" is not allowed', start, end });
      return undefined;
    }
    const [unwanted] = unwantedCharacters(key.value);
    if (unwanted !== undefined || touchesReplaced(start, end)) {
      if (unwanted !== undefined) {
        findings.push({ code: 'lane-character', message: `a key holds the character ${unwanted.name}`, start, end });
      }
      return undefined;
    }
    return { text: key.value, start, end };
  };

  const readScalar = (scalar: Scalar, path: LanePath): unknown => {
    const [start = 0, end = 0] = scalar.range ?? [];
    const { value } = scalar;
    if (touchesReplaced(start, end)) unreadable.push(path);
    else if (typeof value === 'string') {
      for (const { name } of unwantedCharacters(value).slice(0, 1)) {
        refuse(path, {
          code: 'lane-character',
          message: `${formatLanePath(path)} holds the character ${name}`,
          start,
          end,
          path,
        });
      }
    } else if (typeof value === 'number' || typeof value === 'bigint') {
      const source = scalar.source ?? String(value);
      if (!PLAIN_NUMBER.test(source)) {
        oddNumbers.push({ path, finding: oddNumber(path, source, Number(value), start, end) });
      }
      return Number(value);
    }
    return value;
  };

  const touchesReplaced = (start: number, end: number) =>
    options.replaced.some((offset) => start <= offset && offset < end);

  return { value: read(root, []), findings, unreadable, incomplete, oddNumbers };
}

function oddNumber(path: LanePath, source: string, value: number, start: number, end: number): TextFinding {
  const plain = Number.isSafeInteger(value) ? String(value) : undefined;
  return {
    code: 'lane-format',
    message: `${formatLanePath(path)} must be a plain decimal number, found ${source.slice(0, 40)}`,
    ...(plain === undefined ? {} : { hint: `Write ${decimalMeaning(source) ?? plain}.` }),
    start,
    end,
    path,
  };
}

/** What a person means by digits after a leading zero is not sure: YAML 1.1 reads them as octal. */
function decimalMeaning(source: string): string | undefined {
  return /^-?0[0-9]+$/.test(source)
    ? `${Number(source)}, or ${Number.parseInt(source, 8)} if it was meant as octal`
    : undefined;
}

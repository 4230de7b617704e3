import { isMap, isSeq, parseDocument } from 'yaml';
import { unwantedCharacters, withoutUnwanted } from './characters.ts';
import type { TextFinding } from './finding.ts';
import type { LanePath } from './lane-path.ts';
import type { LineIndex } from './line-index.ts';
import { markFindings } from './yaml-marks.ts';
import { syntaxFindings } from './yaml-syntax.ts';
import { tabFindings } from './yaml-tabs.ts';
import { readYamlValue } from './yaml-values.ts';

const BYTE_ORDER_MARK = '\ufeff';

/** The text of a lane, read as YAML 1.2. */
export interface ParsedLane {
  /** The text that the offsets count in: without a byte order mark. */
  readonly text: string;
  /** The root node of the YAML tree, for positions; null when there is none. */
  readonly root: unknown;
  /** The plain value, fresh and free to be changed; undefined when there is none, or when syntax errors spoil it. */
  readonly value: Record<string, unknown> | undefined;
  readonly findings: readonly TextFinding[];
  /** Places whose value cannot be judged; what is wrong with them is among the findings. */
  readonly unreadable: readonly LanePath[];
  /** Mappings from which a field may seem missing, because a key of theirs could not be read. */
  readonly incomplete: readonly LanePath[];
  /** Numbers written in an unusual way: worth a word only where a number may stand. */
  readonly oddNumbers: readonly { readonly path: LanePath; readonly finding: TextFinding }[];
}

/**
 * Reads the text of a lane file. One document with a mapping of plain values: anchors, aliases, merge keys, tags,
 * directives, tabs, keys that are no texts and keys that stand twice are findings. Never throws for any text.
 *
 * `index` gives the lines of a text; it is called only when there is something to report.
 */
export function parseLane(source: string, index: (text: string) => LineIndex): ParsedLane {
  const findings: TextFinding[] = [];
  const text = source.startsWith(BYTE_ORDER_MARK) ? source.slice(1) : source;
  if (text !== source) {
    findings.push({ code: 'lane-unreadable', message: 'the file begins with a byte order mark', start: 0, end: 0 });
  }
  const unwanted = unwantedCharacters(text);
  for (const { offset, name } of unwanted) {
    findings.push({
      code: 'lane-character',
      message: `the character ${name} stands here`,
      start: offset,
      end: offset + 1,
    });
  }
  const clean = unwanted.length > 0 ? withoutUnwanted(text) : text;
  const lines = () => index(text);
  const lineOf = (offset: number) => lines().lineOf(offset);

  const nothing = { text, value: undefined, unreadable: [], incomplete: [], oddNumbers: [] };
  const document = parse(clean);
  if (document === undefined) {
    findings.push({ code: 'lane-syntax', message: 'the file is nested too deeply', start: 0, end: 0 });
    return { ...nothing, root: null, findings };
  }
  const root: unknown = document.contents;
  const tabs = tabFindings(text, root, lines);
  const marks = markFindings(clean);
  const markLines = new Set(marks.map(({ start }) => lineOf(start)));
  // What follows a tab may only look wrong because of it.
  const firstTab = tabs[0]?.start ?? Number.POSITIVE_INFINITY;
  const syntax = syntaxFindings(document, clean, lineOf).filter(
    ({ start }) => start < firstTab && !markLines.has(lineOf(start)),
  );
  findings.push(...tabs, ...marks, ...syntax);

  const broken = document.errors.some(({ code }) => code !== 'MULTIPLE_DOCS');
  if (!isMap(root)) {
    if (findings.length === 0 || !broken) findings.push(notAMapping(root));
    return { ...nothing, root, findings };
  }
  const read = readYamlValue(root, { lineOf, replaced: unwanted.map(({ offset }) => offset) });
  findings.push(...read.findings);
  const value = syntax.every(({ code }) => code !== 'lane-syntax') && !broken ? read.value : undefined;
  return { ...read, text, root, findings, value: value as Record<string, unknown> | undefined };
}

function parse(text: string) {
  try {
    // Keys that stand twice are found by our own walk: the parser compares each key with all others of its mapping.
    return parseDocument(text, {
      version: '1.2',
      schema: 'core',
      prettyErrors: false,
      uniqueKeys: false,
      merge: false,
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function notAMapping(root: unknown): TextFinding {
  const range =
    root !== null && typeof root === 'object' && 'range' in root ? (root.range as [number, number] | null) : null;
  const scalar = root !== null && typeof root === 'object' && 'value' in root ? root.value : null;
  if (scalar === null && !isSeq(root)) {
    return { code: 'lane-empty', message: 'the lane file is empty', start: 0, end: 0 };
  }
  return {
    code: 'lane-type',
    message: `a lane must be a mapping of fields, found ${isSeq(root) ? 'a list' : typeof scalar === 'string' ? 'a text' : `a ${typeof scalar}`}`,
    start: range?.[0] ?? 0,
    end: range?.[1] ?? 0,
  };
}

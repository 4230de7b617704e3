import type { Problem } from '../errors.ts';
import { checkLaneValue } from './check-lane-value.ts';
import { codeFrame } from './code-frame.ts';
import type { LaneFinding } from './finding.ts';
import { messageText } from './found-text.ts';
import { lineMask } from './frame-mask.ts';
import type { Lane } from './lane.ts';
import { formatLanePath, type LanePath, parseLanePath, valueAt } from './lane-path.ts';
import { indexLines, type LineIndex, type Position, type TextRange } from './line-index.ts';
import { parseLane } from './parse-lane.ts';
import { type FieldPart, rangeOfField, sourceOfField } from './positions.ts';
import { sortProblems } from './sort-problems.ts';

/**
 * Where a field stands in the file. Takes the dotted path or its steps. A mapping or list is shown by its key; a field
 * that is not in the file (a default) by the nearest one around it. Lines and columns count from 1, columns in code
 * points.
 */
export type PositionOf = (path: string | LanePath, part?: FieldPart) => Position;

/** What {@link validateLane} found. */
export interface ValidatedLane {
  /** Present when no problem is an error. */
  readonly lane?: Lane;
  /** In the order of their places; each has file, line, column and a code frame. */
  readonly problems: readonly Problem[];
  /** Where a field stands in the text. */
  readonly positionOf: PositionOf;
  /** The value of the field `version` as it is written; undefined when there is none. */
  readonly version: unknown;
  /** The lines around a place, with its secrets masked. */
  readonly frameAt: (position: Position) => string;
}

/**
 * Reads and judges the text of a lane file: YAML, schema, and the rules between fields, all problems at once. `file` is
 * the name that the problems carry. Pure; never throws for any text.
 */
export function validateLane(text: string, file: string): ValidatedLane {
  let indexed: LineIndex | undefined;
  const indexOf = (source: string) => {
    indexed ??= indexLines(source);
    return indexed;
  };
  const parsed = parseLane(text, indexOf);
  const lines = () => indexOf(parsed.text);
  const positionOf = positionsIn(parsed.root, lines);

  const checked =
    parsed.value === undefined
      ? { lane: undefined, findings: [] }
      : checkLaneValue(parsed.value, { ...parsed, sourceOf: (path) => sourceOfField(parsed.root, path) });
  const version = valueAt(parsed.value, ['version']);
  const told = new Set(checked.findings.map(({ path }) => formatLanePath(path)));
  // Where a text belongs, a number of any form is wrong, and has been reported.
  const odd = parsed.oddNumbers.filter(({ path }) => !told.has(formatLanePath(path))).map(({ finding }) => finding);
  const ofText = [...parsed.findings, ...odd];
  if (ofText.length === 0 && checked.findings.length === 0 && checked.lane !== undefined) {
    return { lane: checked.lane, problems: [], positionOf: positionsLater(text), version, frameAt: framesLater(text) };
  }

  const index = lines();
  const mask = lineMask(parsed, index);
  const toProblem = (finding: Omit<LaneFinding, 'path'> & { path?: LanePath }, range: TextRange): Problem => {
    const position = index.position(range);
    return {
      code: finding.code,
      severity: finding.severity ?? 'error',
      message: messageText(finding.message + whereOthersStand(finding.related ?? [], file, positionOf)),
      file,
      ...position,
      ...(finding.path === undefined || finding.path.length === 0
        ? {}
        : { lanePath: messageText(formatLanePath(finding.path)) }),
      ...(finding.hint === undefined ? {} : { hint: messageText(finding.hint) }),
      frame: codeFrame(index.lines, position, { mask }),
    };
  };
  const problems = sortProblems([
    ...ofText.map((finding) => toProblem(finding, finding)),
    ...checked.findings.map((finding) => toProblem(finding, rangeOfFinding(parsed.root, finding))),
  ]);
  const clean = checked.lane !== undefined && problems.every(({ severity }) => severity === 'warning');
  return {
    ...(clean && checked.lane !== undefined ? { lane: checked.lane } : {}),
    problems,
    positionOf,
    version,
    frameAt: framesLater(text),
  };
}

function positionsIn(root: unknown, lines: () => LineIndex): PositionOf {
  return (path, part) =>
    lines().position(rangeOfField(root, typeof path === 'string' ? parseLanePath(path) : path, part));
}

/** For a good lane, whose positions hardly anybody asks for: it keeps the text alone, and reads it again if need be. */
function positionsLater(text: string): PositionOf {
  let positionOf: PositionOf | undefined;
  return (path, part) => {
    if (positionOf === undefined) {
      const parsed = parseLane(text, indexLines);
      const index = indexLines(parsed.text);
      positionOf = positionsIn(parsed.root, () => index);
    }
    return positionOf(path, part);
  };
}

/** Frames for who has something to say about a lane that was judged already. */
function framesLater(text: string): ValidatedLane['frameAt'] {
  return (position) => {
    const parsed = parseLane(text, indexLines);
    const index = indexLines(parsed.text);
    return codeFrame(index.lines, position, { mask: lineMask(parsed, index) });
  };
}

function rangeOfFinding(root: unknown, { path, at }: LaneFinding): TextRange {
  return at === 'parent' ? rangeOfField(root, path.slice(0, -1), 'key') : rangeOfField(root, path, at ?? 'value');
}

function whereOthersStand(related: readonly LanePath[], file: string, positionOf: PositionOf): string {
  if (related.length === 0) return '';
  return ` (${related.map((path) => `${formatLanePath(path)} at ${file}:${positionOf(path).line}`).join(', ')})`;
}

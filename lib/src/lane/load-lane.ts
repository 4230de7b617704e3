import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { AgentRunError, type Problem } from '../errors.ts';
import { closest } from './did-you-mean.ts';
import { messageText } from './found-text.ts';
import type { Lane } from './lane.ts';
import { sortProblems } from './sort-problems.ts';
import { type PositionOf, validateLane } from './validate-lane.ts';

/** A lane is a few kilobytes. */
const LARGEST = 1024 * 1024;

/** A lane that was read from its file and has no errors. */
export interface LoadedLane {
  readonly lane: Lane;
  /** The name of the file as problems show it. */
  readonly file: string;
  /** The text of the file, as it was read. */
  readonly text: string;
  /** Warnings; a lane with errors is not loaded. */
  readonly problems: readonly Problem[];
  /** Where a field stands in the file. */
  readonly positionOf: PositionOf;
}

/** How a lane is loaded. */
export interface LoadLaneOptions {
  /** The name of the file as problems show it; default `path`. */
  readonly displayPath?: string;
}

/**
 * Reads and validates a lane file. Throws an AgentRunError with all problems, and the code of the first, when the file
 * cannot be read (`lane-not-found`, `lane-unreadable`), when its name is not its version (`lane-version-mismatch`), or
 * when the lane is not right.
 */
export async function loadLane(path: string, options: LoadLaneOptions = {}): Promise<LoadedLane> {
  const file = options.displayPath ?? path;
  let bytes: Buffer;
  try {
    refuseStats(await stat(path), file);
    bytes = await readFile(path);
  } catch (error) {
    throw readError(error, path, file, isMissing(error) ? await readdir(dirname(path)).catch(() => []) : []);
  }
  return toLoadedLane(bytes, path, file);
}

/** As {@link loadLane}, at once. */
export function loadLaneSync(path: string, options: LoadLaneOptions = {}): LoadedLane {
  const file = options.displayPath ?? path;
  let bytes: Buffer;
  try {
    refuseStats(statSync(path), file);
    bytes = readFileSync(path);
  } catch (error) {
    throw readError(error, path, file, isMissing(error) ? entriesOf(dirname(path)) : []);
  }
  return toLoadedLane(bytes, path, file);
}

function toLoadedLane(bytes: Buffer, path: string, file: string): LoadedLane {
  if (bytes.length > LARGEST) throw tooLarge(bytes.length, file);
  if (!isUtf8(bytes)) throw notUtf8(bytes, file);
  const text = bytes.toString('utf8');
  const { lane, problems, positionOf, version, frameAt } = validateLane(text, file);
  const stem = basename(path, extname(path));
  const isNamed = typeof version !== 'string' || (stem === version && extname(path) === '.yaml');
  if (lane !== undefined && isNamed) return { lane, file, text, problems, positionOf };
  if (isNamed) throw problemsError(problems, file);
  const position = positionOf('version');
  const message = messageText(`version must be the stem of the file name, found "${version}" in ${file}`);
  const renamed = `Rename the file to ${version}.yaml`;
  const hint = messageText(isVersion(stem) ? `${renamed}, or write version: ${stem}` : `${renamed}.`);
  const frame = frameAt(position);
  const mismatch = { code: 'lane-version-mismatch', severity: 'error', message, hint, frame } as const;
  throw problemsError(sortProblems([...problems, { ...mismatch, file, ...position, lanePath: 'version' }]), file);
}

const isVersion = (stem: string): boolean => /^v[0-9]+\.[0-9]+$/.test(stem);

function problemsError(problems: readonly Problem[], file: string): AgentRunError {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const [first = problems[0]] = errors;
  if (first === undefined) throw new RangeError('a lane without problems is no error');
  const message =
    errors.length === 1 ? first.message : `${file} has ${errors.length} errors; the first: ${first.message}`;
  return new AgentRunError(first.code, message, {
    problems,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  });
}

function unreadable(
  file: string,
  message: string,
  hint?: string,
  place: Partial<Problem> = {},
  cause?: unknown,
): AgentRunError {
  const problem: Problem = {
    code: 'lane-unreadable',
    severity: 'error',
    message,
    file,
    ...(hint === undefined ? {} : { hint }),
    ...place,
  };
  return new AgentRunError('lane-unreadable', message, {
    problems: [problem],
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}

function refuseStats(stats: Stats, file: string): void {
  if (stats.isDirectory())
    throw unreadable(file, `${file} is a directory; a lane is a file`, `Name a file in it, such as ${file}/v0.1.yaml.`);
  if (!stats.isFile()) throw unreadable(file, `${file} is not a regular file`);
  if (stats.size > LARGEST) throw tooLarge(stats.size, file);
}

function tooLarge(size: number, file: string): AgentRunError {
  return unreadable(
    file,
    `${file} has ${size} bytes; a lane file has at most ${LARGEST}`,
    'Check that this is a lane file.',
  );
}

function notUtf8(bytes: Buffer, file: string): AgentRunError {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const bad = firstBadByte(bytes);
  const before = bytes.subarray(0, bad).toString('utf8');
  const line = before.split('\n').length;
  const column = Array.from(before.slice(before.lastIndexOf('\n') + 1)).length + 1;
  const message = utf16
    ? `${file} is UTF-16 text; a lane is UTF-8 text`
    : `${file} is not UTF-8 text: byte 0x${(bytes[bad] ?? 0).toString(16).padStart(2, '0')} stands in line ${line}`;
  return unreadable(file, message, 'Save the file as UTF-8.', { line, column, endLine: line, endColumn: column + 1 });
}

/** Offset of the first byte that is not part of UTF-8 text. */
function firstBadByte(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length > 1 && !isUtf8(bytes.subarray(at, at + length))) return at;
    at += length;
  }
  return at;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readError(error: unknown, path: string, file: string, siblings: readonly string[]): Error {
  if (error instanceof AgentRunError) return error;
  if (!isMissing(error)) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown cause';
    return unreadable(file, `${file} cannot be read (${code})`, undefined, {}, error);
  }
  const lanes = siblings
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort((a, b) => (a < b ? -1 : 1));
  const near = closest(basename(path, '.yaml'), lanes);
  const known =
    lanes.length === 0 ? 'there is no lane in its folder' : `the lanes in its folder are ${lanes.join(', ')}`;
  const message = `${file} does not exist; ${known}`;
  const hint = near === undefined ? {} : { hint: `Did you mean ${near}?` };
  return new AgentRunError('lane-not-found', message, {
    problems: [{ code: 'lane-not-found', severity: 'error', message, file, ...hint }],
    ...hint,
    cause: error,
  });
}

import { readdir } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { AgentRunError } from '@agentrun/lib';

/** Which lanes a command works on. */
export interface LaneSelection {
  /** Each a version below `lanesDir`, or the path of a file. */
  readonly lanes: readonly string[];
  readonly all: boolean;
  readonly lanesDir: string;
}

/** A lane file: where it is, and how messages name it. */
export interface LaneFile {
  readonly path: string;
  readonly shown: string;
}

/** Paths of the chosen lane files; all of them sorted by version. */
export async function laneFiles(selection: LaneSelection, cwd: string): Promise<LaneFile[]> {
  const { lanes, all, lanesDir } = selection;
  if (all === lanes.length > 0) {
    throw new AgentRunError(
      'usage',
      all ? 'give lanes or --all, not both' : 'name a lane, such as v0.1, or give --all',
    );
  }
  const folder = resolve(cwd, lanesDir);
  const paths = all ? await allLanes(folder, lanesDir) : lanes.map((lane) => laneFile(lane, folder, cwd));
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice !== undefined) throw new AgentRunError('usage', `the lane ${shownPath(twice, cwd)} is named twice`);
  return paths.map((path) => ({ path, shown: shownPath(path, cwd) }));
}

/** A name with "/" or ".yaml" is a file, any other a version. */
export const laneFile = (lane: string, folder: string, cwd: string): string =>
  lane.includes('/') || lane.endsWith('.yaml') ? resolve(cwd, lane) : join(folder, `${lane}.yaml`);

async function allLanes(folder: string, shown: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    throw new AgentRunError('lane-not-found', `the folder of lanes ${shown} cannot be read`, {
      cause,
      hint: 'Run in the repository that holds the lanes, or give --lanes-dir.',
    });
  }
  const found = names.filter((name) => name.endsWith('.yaml') && !name.startsWith('.'));
  if (found.length === 0) {
    throw new AgentRunError('lane-not-found', `the folder ${shown} holds no lane`, {
      hint: 'Make one: agentrun lane new.',
    });
  }
  return found.sort(byVersion).map((name) => join(folder, name));
}

/** v0.2 before v0.10; what is no version goes by code unit. */
function byVersion(a: string, b: string): number {
  const numbers = (name: string) => /^v([0-9]+)\.([0-9]+)\.yaml$/.exec(name)?.slice(1).map(Number) ?? [];
  const [x, y] = [numbers(a), numbers(b)];
  if (x.length > 0 && y.length > 0) return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0);
  return a < b ? -1 : 1;
}

/** A path as messages show it: relative to the working directory where it lies below. */
/** A path as messages name it: relative to the working directory where it lies below. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? path : below;
}

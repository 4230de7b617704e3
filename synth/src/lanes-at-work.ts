import {
  AgentRunError,
  checkLane,
  laneConflicts,
  type LoadedLane,
  loadLane,
  type Problem,
  type RenderedLane,
  type RenderInput,
  renderLane,
} from '@agentrun/lib';
import type { LaneFile } from './lane-files.ts';
import type { Progress } from './progress.ts';

/** What became of one lane file. */
export interface LaneWork {
  readonly file: LaneFile;
  /** Absent when the lane has errors. */
  readonly loaded?: LoadedLane;
  /** Absent when the lane or its output has errors. */
  readonly rendered?: RenderedLane;
  readonly problems: readonly Problem[];
}

/**
 * Loads, renders and checks lanes, one after the other, and goes on after a lane with errors, so that all are told at
 * once. The rules between lanes come last.
 */
export async function workOnLanes(
  files: readonly LaneFile[],
  inputFor: (loaded: LoadedLane, file: LaneFile) => RenderInput | Promise<RenderInput>,
  progress: Progress,
): Promise<LaneWork[]> {
  const works: LaneWork[] = [];
  for (const file of files) {
    progress.step(file.shown);
    works.push(await workOnLane(file, inputFor));
  }
  const loaded = works.flatMap((work) => work.loaded ?? []);
  const conflicts = loaded.length > 1 ? laneConflicts(loaded) : [];
  return works.map((work) => {
    const own = conflicts.filter(({ file }) => file === work.file.shown);
    if (own.length === 0) return work;
    const { rendered: _refused, ...rest } = work;
    return { ...rest, problems: [...work.problems, ...own] };
  });
}

async function workOnLane(
  file: LaneFile,
  inputFor: (loaded: LoadedLane, file: LaneFile) => RenderInput | Promise<RenderInput>,
): Promise<LaneWork> {
  let loaded: LoadedLane | undefined;
  try {
    loaded = await loadLane(file.path, { displayPath: file.shown });
    const rendered = renderLane(loaded.lane, await inputFor(loaded, file));
    const problems = checkLane(loaded, rendered);
    const all = [...loaded.problems, ...problems];
    return problems.length > 0 ? { file, loaded, problems: all } : { file, loaded, rendered, problems: all };
  } catch (error) {
    if (!(error instanceof AgentRunError)) throw error;
    const problems = error.problems.map((problem) => ({ file: file.shown, ...problem }));
    return { file, ...(loaded === undefined ? {} : { loaded }), problems };
  }
}

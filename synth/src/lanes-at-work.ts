import {
  AgentRunError,
  checkLane,
  type LoadedLane,
  laneConflicts,
  loadLaneSync,
  type Problem,
  type RenderedLane,
  type RenderInput,
  renderLane,
} from '@agentrun/lib';
import type { LaneFile } from './lane-files.ts';
import type { Progress } from './progress.ts';
import type { LaneReport } from './report/index.ts';

/** What a report says of a rendered lane. */
export interface LaneSummary {
  readonly version: string;
  readonly filesDigest: string;
  readonly objectsDigest: string;
  /** Paths of the rendered files, in their order. */
  readonly paths: readonly string[];
}

/** What became of one lane file. */
export interface LaneWork<Kept> {
  readonly file: LaneFile;
  /** Absent when the lane has errors. */
  readonly loaded?: LoadedLane;
  /** Absent when the lane or its output has errors; what the caller keeps of the output, and its summary. */
  readonly done?: { readonly summary: LaneSummary; readonly kept: Kept };
  readonly problems: readonly Problem[];
}

/** Works out the commit and the image of a lane. */
export type InputFor = (loaded: LoadedLane, file: LaneFile) => RenderInput | Promise<RenderInput>;

/**
 * Loads, renders and checks lanes, one after the other, and goes on after a lane with errors, so that all are told at
 * once. The rules between lanes come last. Of each output only what `keep` gives stays in memory: there may be many.
 */
export async function workOnLanes<Kept>(
  files: readonly LaneFile[],
  inputFor: InputFor,
  progress: Progress,
  keep: (rendered: RenderedLane) => Kept,
): Promise<LaneWork<Kept>[]> {
  const works: LaneWork<Kept>[] = [];
  for (const file of files) {
    progress.step(file.shown);
    works.push(await workOnLane(file, inputFor, keep));
  }
  const loaded = works.flatMap((work) => work.loaded ?? []);
  const conflicts = loaded.length > 1 ? laneConflicts(loaded) : [];
  return works.map((work) => {
    const own = conflicts.filter(({ file }) => file === work.file.shown);
    if (own.length === 0) return work;
    const { done: _refused, ...rest } = work;
    return { ...rest, problems: [...work.problems, ...own] };
  });
}

async function workOnLane<Kept>(
  file: LaneFile,
  inputFor: InputFor,
  keep: (rendered: RenderedLane) => Kept,
): Promise<LaneWork<Kept>> {
  let loaded: LoadedLane | undefined;
  try {
    loaded = loadLaneSync(file.path, { displayPath: file.shown });
    const rendered = renderLane(loaded.lane, await inputFor(loaded, file));
    const problems = checkLane(loaded, rendered);
    const all = [...loaded.problems, ...problems];
    if (problems.length > 0) return { file, loaded, problems: all };
    return { file, loaded, done: { summary: summaryOf(rendered), kept: keep(rendered) }, problems: all };
  } catch (error) {
    if (!(error instanceof AgentRunError)) throw error;
    const problems = error.problems.map((problem) => ({ file: file.shown, ...problem }));
    return { file, ...(loaded === undefined ? {} : { loaded }), problems };
  }
}

const summaryOf = ({ lane, filesDigest, objectsDigest, files }: RenderedLane): LaneSummary => ({
  version: lane.version,
  filesDigest,
  objectsDigest,
  paths: files.map(({ path }) => path),
});

/** A rendered lane as a report shows it. */
export const laneReport = (
  { version, filesDigest, objectsDigest, paths }: LaneSummary,
  status: string,
): LaneReport => ({
  lane: version,
  status,
  filesDigest,
  objectsDigest,
  files: paths,
});

/** A lane of a run that writes nothing: one with errors, or one that was right but waits for those. */
export function failedOrHeld({ file, loaded, done }: LaneWork<unknown>): LaneReport {
  const version = loaded?.lane.version ?? /([^/]*)\.yaml$/.exec(file.path)?.[1] ?? file.shown;
  return done === undefined ? { lane: version, status: 'failed' } : laneReport(done.summary, 'not-written');
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageArtifact } from '../../lib/src/artifacts/artifact.ts';
import { readLaneCommit } from '../../lib/src/gitops/lane-commit.ts';
import type { PublishSource } from '../../lib/src/gitops/lane-on-branch.ts';
import type { Lane } from '../../lib/src/lane/lane.ts';
import { newLaneText } from '../../lib/src/lane/new-lane.ts';
import { validateLane } from '../../lib/src/lane/validate-lane.ts';
import { type RenderedLane, renderLane } from '../../lib/src/render/render-lane.ts';

/** What a lane file has otherwise than the good lane. */
export interface LaneVariant {
  /** From 1; lanes of different numbers share no path. */
  readonly number: number;
  /** Any number: another one changes the content of a rendered file. */
  readonly content?: number;
  readonly localPostgres?: boolean;
  /** Name of the runtime directory; default `runtime-v0<number>`. */
  readonly directory?: string;
  /** Directory of the rendered files; default `deploy/lane-<number>`. */
  readonly root?: string;
  readonly applicationFile?: string;
  readonly sourceFile?: string;
}

/** The branch that all lanes of the tests share. */
export const BRANCH = 'gitops/all';
/** The commit that all published lanes boot. */
export const CODE_COMMIT = 'c0de'.repeat(10);
/** What the lane repository is called on the branch. */
export const REPOSITORY_URL = 'ssh://git@git.example.internal/agentrun/agentrun.git';

const GOOD_LANE = readFileSync(join(import.meta.dirname, '../fixtures/lanes/v0.1.yaml'), 'utf8');

export const versionOf = (number: number): string => `v0.${number}`;
export const laneFileOf = (number: number): string => `lanes/${versionOf(number)}.yaml`;

/** The text of a lane file; two lanes of different numbers can stand on one branch. */
export function laneText(variant: LaneVariant): string {
  const { number, content = 0, localPostgres = true } = variant;
  const short = `v0${number}`;
  const { directory = `runtime-${short}`, root = `deploy/lane-${number}` } = variant;
  const { applicationFile = `application-${short}.yaml`, sourceFile = `source.${short}.json` } = variant;
  const own = number === 1 ? GOOD_LANE : newLaneText(GOOD_LANE, 'v0.1', versionOf(number)).text;
  const replaced: [string, string][] = [
    [`  branch: ${versionOf(number)}-gitops\n`, `  branch: ${BRANCH}\n  sourceFile: ${sourceFile}\n`],
    [`  path: deploy/gitops/runtime-${short}\n`, `  path: ${root}/${directory}\n`],
    ['  gitopsRoot: deploy/gitops\n', `  gitopsRoot: ${root}\n`],
    [`  runtimeRenderDir: runtime-${short}\n`, `  runtimeRenderDir: ${directory}\n`],
    [`applicationFile: application-${short}.yaml\n`, `applicationFile: ${applicationFile}\n`],
    ['AGENTRUN_SESSION_GC_INTERVAL_MS: "300000"', `AGENTRUN_SESSION_GC_INTERVAL_MS: "${300_000 + content}"`],
    ['    enabled: true\n    serviceName', `    enabled: ${localPostgres}\n    serviceName`],
  ];
  return replaced.reduce((text, [before, after]) => {
    if (!text.includes(before)) throw new Error(`the good lane no longer holds ${before}`);
    return text.replace(before, after);
  }, own);
}

/** Reads a text as a lane; throws when it is not right. */
export function laneOf(text: string, file = 'lane.yaml'): Lane {
  const { lane, problems } = validateLane(text, file);
  if (lane === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  return lane;
}

/** A lane rendered with a real image. */
export function rendered(number: number, text: string): RenderedLane {
  const lane = laneOf(text, laneFileOf(number));
  const artifact = imageArtifact(lane, {
    sourceCommit: CODE_COMMIT,
    envIdentity: 'env-1',
    digest: `sha256:${'1a2b'.repeat(16)}`,
    status: 'built',
  });
  return renderLane(lane, { sourceCommit: CODE_COMMIT, artifact });
}

/** The same as `publishLane` takes it, from a commit of the repository in `dir`. */
export async function publishSource(
  dir: string,
  number: number,
  text: string,
  revision = 'HEAD',
): Promise<PublishSource> {
  const path = join(dir, laneFileOf(number));
  return {
    rendered: rendered(number, text),
    text,
    path,
    repository: REPOSITORY_URL,
    commit: await readLaneCommit(path, revision),
  };
}

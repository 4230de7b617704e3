import { objectsDigest } from '../render/digest.ts';
import type { RenderedLane } from '../render/render-lane.ts';
import type { LaneInventory } from './inventory.ts';

/** The trailers of a publish commit, in the order in which they are written. */
const TRAILERS = {
  lane: 'Agentrun-Lane',
  laneCommit: 'Agentrun-Lane-Commit',
  sourceCommit: 'Agentrun-Source-Commit',
  filesDigest: 'Agentrun-Files-Digest',
  artifactDigest: 'Agentrun-Artifact-Digest',
  generator: 'Agentrun-Generator',
} as const;

/** The line that says that a commit removes a lane. */
const REMOVED = 'Agentrun-Removed-Lane';

const COMMIT = /^[0-9a-f]{40}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The forms of the values. They come from a branch that others may write, and are given to git. */
const FORMS: Readonly<Record<keyof typeof TRAILERS, RegExp>> = {
  lane: /^[^\s/]+$/,
  laneCommit: COMMIT,
  sourceCommit: COMMIT,
  filesDigest: DIGEST,
  artifactDigest: DIGEST,
  generator: /^\S+@\S+$/,
};

/** What the trailers of a publish commit say. */
export type Provenance = Readonly<Record<keyof typeof TRAILERS, string>>;

export function provenanceOf({ input }: RenderedLane, inventory: LaneInventory): Provenance {
  return {
    lane: inventory.lane,
    laneCommit: inventory.laneCommit,
    sourceCommit: inventory.sourceCommit,
    filesDigest: inventory.filesDigest,
    artifactDigest: objectsDigest([input.artifact]),
    generator: `${inventory.generator.name}@${inventory.generator.version}`,
  };
}

/** The message of a publish commit; it ends with one newline, since the commit's id depends on it. */
export function publishMessage(provenance: Provenance, replaced: readonly string[] = []): string {
  const own = Object.entries(TRAILERS).map(([key, name]) => `${name}: ${provenance[key as keyof Provenance]}`);
  const trailers = [...own, ...replaced.map((lane) => `${REMOVED}: ${lane}`)];
  return `Publish lane ${provenance.lane} from ${provenance.laneCommit.slice(0, 12)}\n\n${trailers.join('\n')}\n`;
}

/** The message of a commit that removes a lane; `laneCommit` is the commit of the lane's repository that says so. */
export const removalMessage = (lane: string, laneCommit: string): string =>
  `Remove lane ${lane}\n\n${REMOVED}: ${lane}\n${TRAILERS.laneCommit}: ${laneCommit}\n`;

/** Reads the trailers of a commit message; undefined when it is no publish commit, or a value is not of its form. */
export function readProvenance(message: string): Provenance | undefined {
  const found = new Map(trailersOf(message));
  const entries = Object.entries(TRAILERS).map(([key, name]) => [key, found.get(name) ?? ''] as const);
  const whole = entries.every(([key, value]) => FORMS[key as keyof Provenance].test(value));
  return whole ? (Object.fromEntries(entries) as Provenance) : undefined;
}

/** What a commit removes. */
export interface Removals {
  readonly lanes: readonly string[];
  /** The commit of the lanes' repository that removes them; undefined when the message does not say. */
  readonly laneCommit: string | undefined;
}

export function readRemovals(message: string): Removals {
  const trailers = trailersOf(message);
  const lanes = trailers.flatMap(([name, value]) => (name === REMOVED ? [value] : []));
  const laneCommit = new Map(trailers).get(TRAILERS.laneCommit);
  return { lanes, laneCommit: laneCommit !== undefined && COMMIT.test(laneCommit) ? laneCommit : undefined };
}

/** The name and value of each line of the last paragraph. */
function trailersOf(message: string): (readonly [string, string])[] {
  const last = message.trimEnd().split('\n\n').at(-1) ?? '';
  return last.split('\n').flatMap((line) => {
    const [, name, value = ''] = /^([A-Za-z-]+): (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value] as const];
  });
}

/** The extended pattern of the lines by which a lane's publishes and removals are looked for; it may find too much. */
export const laneTrailerPattern = (lane: string): string =>
  `^(${TRAILERS.lane}|${REMOVED}): ${lane.replaceAll(/[^A-Za-z0-9]/g, '.')}$`;

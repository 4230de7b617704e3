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
export function publishMessage(provenance: Provenance): string {
  const trailers = Object.entries(TRAILERS).map(([key, name]) => `${name}: ${provenance[key as keyof Provenance]}`);
  return `Publish lane ${provenance.lane} from ${provenance.laneCommit.slice(0, 12)}\n\n${trailers.join('\n')}\n`;
}

/** The message of a commit that removes a lane. */
export const removalMessage = (lane: string): string => `Remove lane ${lane}\n\nAgentrun-Removed-Lane: ${lane}\n`;

/** Reads the trailers of a commit message; undefined when it is no publish commit. */
export function readProvenance(message: string): Provenance | undefined {
  const last = message.trimEnd().split('\n\n').at(-1) ?? '';
  const found = new Map(
    last.split('\n').flatMap((line) => {
      const [, name = '', value = ''] = /^([A-Za-z-]+): (.*)$/.exec(line) ?? [];
      return name === '' ? [] : [[name, value] as const];
    }),
  );
  const entries = Object.entries(TRAILERS).map(([key, name]) => [key, found.get(name)] as const);
  return entries.every(([, value]) => value !== undefined) ? (Object.fromEntries(entries) as unknown as Provenance) : undefined;
}

/** The line by which the newest publish commit of a lane is looked for. */
export const laneTrailer = (lane: string): string => `${TRAILERS.lane}: ${lane}`;

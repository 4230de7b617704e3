/**
 * The process that renders a lane in one environment of the proof. It reads a {@link ProofTask} from standard input
 * and writes a {@link ProofAnswer}; it is started by `prove-lane.ts` alone.
 */
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Lane } from '../lane/lane.ts';
import { type RenderedLane, type RenderInput, renderLane } from '../render/render-lane.ts';
import { ForbiddenUse, withForbidden } from './forbidden.ts';
import { shuffleKeys } from './shuffle-keys.ts';

export interface ProofTask {
  readonly lane: Lane;
  readonly input: RenderInput;
  readonly umask: number;
  readonly seed: number;
}

/** Digests of the files of one rendering by path, the control plane among them. */
export type Rendering = Readonly<Record<string, string>>;

export type ProofAnswer = { readonly renderings: readonly Rendering[] } | { readonly forbidden: string };

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

const digests = ({ files, controlPlane, filesDigest, objectsDigest }: RenderedLane): Rendering => ({
  ...Object.fromEntries([...files, controlPlane].map(({ path, content }) => [path, sha256(content)])),
  'the files digest': filesDigest,
  'the objects digest': objectsDigest,
});

const task = JSON.parse(await text(process.stdin)) as ProofTask;
process.umask(task.umask);
const { lane, input, seed } = task;
let answer: ProofAnswer;
try {
  // As it is, again, with other orders of keys, and between other lanes.
  const renderings = withForbidden(() => [
    renderLane(lane, input),
    renderLane(lane, input),
    renderLane(shuffleKeys(lane, seed), input),
    renderLane(shuffleKeys(lane, seed + 1000), shuffleKeys(input, seed)),
  ]);
  const together = await Promise.all(
    Array.from({ length: 4 }, async (_, at) => withForbidden(() => renderLane(shuffleKeys(lane, seed + at), input))),
  );
  answer = { renderings: [...renderings, ...together].map(digests) };
} catch (error) {
  if (!(error instanceof ForbiddenUse)) throw error;
  answer = { forbidden: error.what };
}
process.stdout.write(JSON.stringify(answer));

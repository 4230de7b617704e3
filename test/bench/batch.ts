/**
 * The measured half of the batch: loads, validates, renders and checks every lane of a folder in one process, with the
 * digests, as `agentrun synth --all` does, and writes nothing. Prints the seconds that it took.
 */
import { placeholderArtifact } from '../../lib/src/index.ts';
import { laneFiles } from '../../synth/src/lane-files.ts';
import { workOnLanes } from '../../synth/src/lanes-at-work.ts';

const [lanesDir = ''] = process.argv.slice(2);
const sourceCommit = 'a'.repeat(40);
const before = performance.now();
const files = await laneFiles({ lanes: [], all: true, lanesDir }, process.cwd());
const works = await workOnLanes(
  files,
  ({ lane }) => ({ sourceCommit, artifact: placeholderArtifact(lane, sourceCommit) }),
  { step: () => {}, done: () => {} },
  ({ files: rendered, controlPlane }) => [...rendered, controlPlane].map(({ path, content }) => ({ path, content })),
);
const seconds = (performance.now() - before) / 1000;
const failed = works.filter(({ done }) => done === undefined);
if (failed.length > 0)
  throw new Error(`${failed.length} of ${works.length} lanes failed: ${failed[0]?.problems[0]?.message}`);
process.stdout.write(JSON.stringify({ lanes: works.length, seconds }));

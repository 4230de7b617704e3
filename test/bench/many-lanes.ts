import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadLaneSync, placeholderArtifact, renderLane } from '../../lib/src/index.ts';
import { AGENTRUN, RENDER_OPTIONS } from './agentrun.ts';
import { bundleProgram } from './bundle-program.ts';
import type { Row } from './row.ts';
import { inScratch, median, timedWithMemory } from './timed.ts';
import { MODEL, writeLanes } from './write-lanes.ts';

const RUNS = 3;

/** 100 and 500 lanes by one process: the work alone, the memory, and the whole command with its output. */
export function benchManyLanes(): Row[] {
  return inScratch((scratch) => {
    const [few, many] = [writeLanes(scratch, 100), writeLanes(scratch, 500)];
    const program = bundleProgram('batch', scratch);
    const [plain, objects] = [bundleProgram('plain-cdk8s', scratch), writeObjects(scratch)];
    const batches = { few: [] as number[], many: [] as number[], rss: [] as number[], plain: [] as number[] };
    for (let run = 0; run < RUNS; run += 1) {
      batches.few.push(secondsOf(timedWithMemory([program, few]).stdout));
      const batch = timedWithMemory([program, many]);
      batches.many.push(secondsOf(batch.stdout));
      batches.rss.push(batch.rssMb);
      batches.plain.push(secondsOf(timedWithMemory([plain, objects.path, '500']).stdout));
    }
    const [hundred, fiveHundred] = [median(batches.few), median(batches.many)];
    const alone = median(batches.plain);
    const synth = (lanes: string) =>
      timedWithMemory([AGENTRUN, 'synth', '--all', '--lanes-dir', lanes, ...RENDER_OPTIONS, '--out', `${lanes}-out`]);
    const written = synth(many);
    const again = synth(many);
    const note = 'load, validate, render, check, digests; no write';
    return [
      { what: '100 lanes, one process', value: hundred, unit: 's', note: `${note}; median of ${RUNS}` },
      { what: '500 lanes, one process', value: fiveHundred, unit: 's', target: 3, note },
      {
        what: 'what cdk8s alone takes for their objects',
        value: alone,
        unit: 's',
        note: `${500 * objects.count} objects; nothing loaded, checked or hashed`,
      },
      { what: '500 lanes to cdk8s alone', value: fiveHundred / alone, unit: 'times', note: 'no target' },
      { what: '500 lanes to 100 lanes', value: fiveHundred / hundred, unit: 'times', target: 6 },
      { what: '500 lanes, peak memory', value: Math.max(...batches.rss), unit: 'MB', target: 200 },
      {
        what: '500 lanes, agentrun synth --all',
        value: written.ms / 1000,
        unit: 's',
        note: 'with start and synced write',
      },
      { what: '500 lanes, agentrun synth --all, peak memory', value: written.rssMb, unit: 'MB', target: 200 },
      { what: '500 lanes, agentrun synth --all again', value: again.ms / 1000, unit: 's', note: 'nothing changed' },
    ];
  });
}

/** The objects of one lane as JSON: those that Argo CD syncs, and those that an operator applies. */
function writeObjects(scratch: string): { path: string; count: number } {
  const { lane } = loadLaneSync(MODEL);
  const commit = 'a'.repeat(40);
  const { files, controlPlane } = renderLane(lane, {
    sourceCommit: commit,
    artifact: placeholderArtifact(lane, commit),
  });
  const objects = [...files, controlPlane].flatMap((file) => file.objects ?? []);
  const path = join(scratch, 'objects.json');
  writeFileSync(path, JSON.stringify(objects));
  return { path, count: objects.length };
}

const secondsOf = (stdout: string): number => (JSON.parse(stdout) as { seconds: number }).seconds;

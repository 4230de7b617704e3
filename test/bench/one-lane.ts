import { join } from 'node:path';
import { hasCommand } from '../helpers/has-command.ts';
import { AGENTRUN, RENDER_OPTIONS } from './agentrun.ts';
import type { Row, Skipped } from './row.ts';
import { inScratch, median, timed } from './timed.ts';

const RUNS = 21;
const NOT_THE_SAME =
  'not the same work: kustomize parses and merges YAML; agentrun validates a lane, renders, checks and writes';

/** One lane by a process of its own, and kubectl with the same objects, one after the other in turns. */
export function benchOneLane(): (Row | Skipped)[] {
  return inScratch((scratch) => {
    const synth = (out: string) =>
      timed(process.execPath, [AGENTRUN, 'synth', 'v0.1', ...RENDER_OPTIONS, '--out', out]);
    const rendered = join(scratch, 'rendered');
    synth(rendered);
    const runtime = join(rendered, 'deploy/gitops/runtime-v01');
    const kustomize = hasCommand('kubectl', 'version', '--client')
      ? () => timed('kubectl', ['kustomize', runtime]).ms
      : undefined;

    const times = { node: [] as number[], agentrun: [] as number[], again: [] as number[], kustomize: [] as number[] };
    for (let run = 0; run < RUNS; run += 1) {
      const out = join(scratch, String(run), 'out');
      times.node.push(timed(process.execPath, ['-e', '0']).ms);
      if (kustomize !== undefined) times.kustomize.push(kustomize());
      times.agentrun.push(synth(out).ms);
      times.again.push(synth(out).ms);
    }
    const agentrun = median(times.agentrun);
    const rows: (Row | Skipped)[] = [
      {
        what: 'one lane: node that does nothing',
        value: median(times.node),
        unit: 'ms',
        note: `median of ${RUNS}, in turns`,
      },
      { what: 'one lane: agentrun synth, cold', value: agentrun, unit: 'ms', target: 200 },
      { what: 'one lane: agentrun synth again, nothing changed', value: median(times.again), unit: 'ms', target: 250 },
    ];
    if (kustomize === undefined) return [...rows, { skipped: 'kubectl kustomize: there is no kubectl here' }];
    const kubectl = median(times.kustomize);
    return [
      ...rows,
      { what: 'one lane: kubectl kustomize', value: kubectl, unit: 'ms', note: NOT_THE_SAME },
      { what: 'one lane: agentrun to kustomize', value: agentrun / kubectl, unit: 'times', target: 2, note: 'aim 1.6' },
    ];
  });
}

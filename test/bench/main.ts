/** `npm run bench`: prints a table of what rendering and publishing cost, or JSON with `--json`. It judges, but never fails by time. */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { benchManyLanes } from './many-lanes.ts';
import { benchOneLane } from './one-lane.ts';
import { benchPublish } from './publish.ts';
import { formatTable } from './row.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' };
const rows = [...benchOneLane(), ...benchManyLanes(), ...(await benchPublish())];
process.stdout.write(
  values.json
    ? `${JSON.stringify({ formatVersion: 1, machine, rows }, null, 2)}\n`
    : `Node ${machine.node}, ${machine.cpus} x ${machine.cpu}\n\n${formatTable(rows)}`,
);

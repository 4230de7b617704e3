/**
 * `npm run bench`: prints a table of what rendering, publishing, the manager and the runner cost, or JSON with `--json`.
 * It judges, but never fails by time. `--only render|publish|manager|runner` measures one of them.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { benchManager } from './manager.ts';
import { benchManyLanes } from './many-lanes.ts';
import { benchOneLane } from './one-lane.ts';
import { benchPublish } from './publish.ts';
import { formatTable, type Row, type Skipped } from './row.ts';
import { benchRunner } from './runner.ts';

type Part = () => (Row | Skipped)[] | Promise<(Row | Skipped)[]>;
const parts: Readonly<Record<string, Part>> = {
  render: () => [...benchOneLane(), ...benchManyLanes()],
  publish: benchPublish,
  manager: benchManager,
  runner: benchRunner,
};

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string', multiple: true, default: [] } },
});
const unknown = values.only.find((name) => !Object.hasOwn(parts, name));
if (unknown !== undefined) {
  throw new Error(`--only must be one of ${Object.keys(parts).join(', ')}, not ${JSON.stringify(unknown)}`);
}
const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', load: loadavg() };
const rows: (Row | Skipped)[] = [];
for (const [name, part] of Object.entries(parts)) {
  if (values.only.length === 0 || values.only.includes(name)) rows.push(...(await part()));
}
const load = machine.load.map((each) => each.toFixed(1)).join(', ');
process.stdout.write(
  values.json
    ? `${JSON.stringify({ formatVersion: 1, machine, rows }, null, 2)}\n`
    : `Node ${machine.node}, ${machine.cpus} x ${machine.cpu}, load ${load} at the begin\n\n${formatTable(rows)}`,
);

import type { EnvVar } from 'cdk8s-plus-28/lib/imports/k8s.js';
import type { Encoding, Source } from '../environment/index.ts';
import { managerRows, managerTailRows } from '../environment/index.ts';
import type { Lane } from '../lane/lane.ts';
import { parseLanePath, valueAt } from '../lane/lane-path.ts';
import type { RuntimeInput } from './runtime-input.ts';

const byCodeUnit = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function sourceValue(source: Source, lane: Lane, input: RuntimeInput): unknown {
  if ('lane' in source) return valueAt(lane, parseLanePath(source.lane));
  return 'input' in source ? input[source.input] : source.constant;
}

/** Keys sorted by code unit: the order in which a lane's author wrote a map must not change a byte. */
function sortedJson(map: Record<string, unknown>): string {
  const keys = Object.keys(map).sort(byCodeUnit);
  return `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(map[key])}`).join(',')}}`;
}

function encode(encoding: Exclude<Encoding, 'secret'>, value: unknown): string {
  if (encoding === 'json') return sortedJson(value as Record<string, unknown>);
  return encoding === 'csv' ? (value as readonly string[]).join(',') : String(value);
}

function tableEntries(rows: typeof managerRows | typeof managerTailRows, lane: Lane, input: RuntimeInput): EnvVar[] {
  const entries: EnvVar[] = [];
  for (const { name, source, encoding, condition } of rows) {
    const value = sourceValue(source, lane, input);
    if (condition === 'not-null' && value === null) continue;
    if (condition === 'not-empty' && (value as readonly unknown[]).length === 0) continue;
    entries.push(
      encoding === 'secret' ? secretEntry(name, value as SecretRef) : { name, value: encode(encoding, value) },
    );
  }
  return entries;
}

interface SecretRef {
  readonly name: string;
  readonly key: string;
}

const secretEntry = (name: string, { name: secret, key }: SecretRef): EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});

/** The environment of the manager container, complete and in order. */
export function managerEnvironment(lane: Lane, input: RuntimeInput): EnvVar[] {
  const { env, unideskSshEndpointEnv, secretEnv } = lane.deployment.manager;
  const sorted = <T>(map: Readonly<Record<string, T>>): [string, T][] =>
    Object.entries(map).sort(([a], [b]) => byCodeUnit(a, b));
  return [
    ...tableEntries(managerRows, lane, input),
    ...sorted(env).map(([name, value]) => ({ name, value })),
    ...(unideskSshEndpointEnv === null
      ? []
      : [{ name: unideskSshEndpointEnv.name, value: unideskSshEndpointEnv.value }]),
    ...tableEntries(managerTailRows, lane, input),
    ...sorted(secretEnv).map(([name, reference]) => secretEntry(name, reference)),
  ];
}

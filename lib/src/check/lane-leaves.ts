import type { Lane } from '../lane/lane.ts';
import { type LanePath, valueAt } from '../lane/lane-path.ts';

/** Paths of the leaves of a lane: scalars, nulls, and empty maps and lists. */
export function laneLeaves(lane: Lane): LanePath[] {
  const leaves: LanePath[] = [];
  const walk = (value: unknown, path: LanePath) => {
    const steps: readonly (string | number)[] = Array.isArray(value)
      ? [...value.keys()]
      : typeof value === 'object' && value !== null
        ? Object.keys(value)
        : [];
    if (steps.length === 0) leaves.push(path);
    for (const step of steps) walk(valueAt(value, [step]), [...path, step]);
  };
  walk(lane, []);
  return leaves;
}

/** The same lane with one leaf changed to another value, of the same type where it has one. */
export function perturbLane(lane: Lane, path: LanePath): unknown {
  const copy: unknown = structuredClone(lane);
  const last = path.at(-1) ?? '';
  const parent = valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  parent[last] = changed(parent[last], String(last));
  return copy;
}

function changed(value: unknown, key: string): unknown {
  if (typeof value === 'string') return changedText(value, key);
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (value === null) return key === 'maxAgeHours' ? 1 : 'changed';
  return Array.isArray(value) ? ['changed'] : { CHANGED: 'changed' };
}

/** Another text of the same kind: an image keeps its form, since the PostgreSQL major is read from it. */
function changedText(value: string, key: string): string {
  if (key === 'placement') return value === 'host-process' ? 'kubernetes-job' : 'host-process';
  const digest = /^(.*@sha256:)([0-9a-f])([0-9a-f]{63})$/.exec(value);
  if (digest) return `${digest[1]}${digest[2] === '0' ? '1' : '0'}${digest[3]}`;
  return /^[0-9.]+[A-Za-z]*$/.test(value) ? `1${value}` : `${value}x`;
}

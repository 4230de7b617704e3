import type { Finding } from './finding.ts';
import { anyText } from './json-view.ts';
import { findingAt, groupOf, isClusterObject, objectTitle, type PlacedObject } from './rendered-objects.ts';

/** No two objects of one set may be the same object of the cluster: the later would silently win. */
export function checkDuplicateObjects(objects: readonly PlacedObject[]): Finding[] {
  const seen = new Map<string, PlacedObject>();
  const findings: Finding[] = [];
  for (const placed of objects.filter(({ object }) => isClusterObject(object))) {
    const { object } = placed;
    const { kind, metadata } = object;
    const key = [groupOf(object), kind, metadata?.namespace ?? '', metadata?.name ?? ''].map(anyText).join('\0');
    const first = seen.get(key);
    if (first === undefined) seen.set(key, placed);
    else {
      findings.push(
        findingAt(
          placed,
          'output-duplicate-object',
          '/metadata/name',
          `${objectTitle(object)} is rendered twice, first in ${first.file}`,
        ),
      );
    }
  }
  return findings;
}

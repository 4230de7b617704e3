import { applyOverlay } from './apply-overlay.ts';
import { argoDefinitions } from './argo-definitions.ts';
import { jsiiDefinitions } from './jsii-definitions.ts';
import { RENDERED_KINDS } from './kinds.ts';
import { KUSTOMIZATION } from './kustomization-definitions.ts';
import { OVERLAY } from './overlay/index.ts';
import type { OverlayRow } from './overlay/row.ts';
import { REMOVED_FIELDS } from './removed-fields.ts';
import { closed, type Definitions, list, reachable, ref, type Schema, TEXT } from './schema.ts';
import { shareRepeated } from './share-repeated.ts';
import { SYNTAX } from './syntax-definitions.ts';
import { TEKTON } from './tekton-definitions.ts';

/**
 * The closed schemas of all rendered kinds: `$defs` only, a kind under its own name, what they share once.
 * `overlay` is given by tests that ask what the rows are worth.
 */
export async function objectSchemas(
  root: string,
  overlay: readonly OverlayRow[] = OVERLAY,
): Promise<{ $defs: Definitions }> {
  const definitions = unshared({
    ...(await jsiiDefinitions(root)),
    ...argoDefinitions(root),
    ...TEKTON,
    ...KUSTOMIZATION,
    ...SYNTAX,
  });
  for (const { definition, properties } of REMOVED_FIELDS) {
    const known = definitions[definition]?.['properties'] as Record<string, Schema>;
    for (const property of properties) {
      if (known[property] === undefined) throw new Error(`${definition} has no "${property}" that could be removed`);
      delete known[property];
    }
  }
  addClaimTemplate(definitions);
  for (const { kind } of RENDERED_KINDS) {
    const { properties, required } = definitions[kind] as { properties: Record<string, Schema>; required?: string[] };
    definitions[kind] = unshared(closed({ apiVersion: TEXT, kind: TEXT, ...properties }, required));
  }
  applyOverlay(definitions, unshared(overlay));
  const kinds = RENDERED_KINDS.map(({ kind }) => kind);
  return { $defs: shareRepeated(reachable(definitions, kinds)) };
}

/** A copy in which no part stands at two places, so that a row changes one place only. */
const unshared = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** A volumeClaimTemplate is a claim that need not repeat its apiVersion and kind. */
function addClaimTemplate(definitions: Definitions): void {
  const { properties } = definitions['PersistentVolumeClaim'] as { properties: Record<string, Schema> };
  definitions['VolumeClaimTemplate'] = unshared(closed({ apiVersion: TEXT, kind: TEXT, ...properties }));
  const stateful = definitions['StatefulSetSpec'] as { properties: Record<string, Schema> };
  stateful.properties['volumeClaimTemplates'] = list(ref('VolumeClaimTemplate'));
}

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import canonicalize from 'canonicalize';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { imageArtifact, placeholderArtifact } from '../../../lib/src/artifacts/artifact.ts';
import type { Lane } from '../../../lib/src/lane/lane.ts';
import { type RenderedFile, renderLane } from '../../../lib/src/render/render-lane.ts';
import { contractLane, contractVariant } from '../../helpers/contract-lane.ts';
import { applyUndo, type Deviation, readDeviations } from '../../helpers/undo-deviations.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const IMAGE = { sourceCommit: COMMIT, envIdentity: 'env-3f2a9c', digest: `sha256:${'ab'.repeat(32)}` };

/** The sixteen-hex vectors of the contract, for its example lane and its variant. */
const VECTORS = {
  example: {
    image: {
      'control-plane': '8c13cb537c88eed4',
      F1: 'd3837356dc212634',
      F2: '0f6354e2224b42d2',
      F3: '54abc4f6aea0d873',
      F4: '723c61e6a335b8be',
      F5: '380efe622b8353dd',
      F6: 'a1fb8654f07bd3ce',
      F7: 'c2634705b46e3540',
      F8: '4257c84d91ef0864',
      F9: 'f840ae46f0909a39',
    },
    placeholder: { F2: 'dc0add2bd2fb8000', F8: '0a4d2a12cf07722a' },
  },
  variant: {
    image: { F5: '802944dc692f3901', F8: '39379f5438b9be9a' },
    placeholder: { F8: 'fb908b235ded93b5' },
  },
};

type Json = Record<string, unknown>;
interface Slot {
  readonly id: string;
  value: Json;
}

const parsed = (file: RenderedFile): Json[] =>
  file.path.endsWith('.json')
    ? [JSON.parse(file.content) as Json]
    : parseAllDocuments(file.content).map((document) => document.toJS() as Json);

/** The ids of the contract for the objects of each file, in document order. */
const OBJECT_IDS: Readonly<Record<string, readonly string[]>> = {
  'control-plane': ['K1', 'K2', 'K3', 'K4', 'K5', 'K6', 'K7'],
  F3: ['K6'],
  F4: ['K7'],
  F5: ['K8'],
  F6: ['K9'],
  F7: ['K10a', 'K10b', 'K10-headless'],
  F8: ['K11', 'K12', 'K13', 'K14', 'K15', 'K16', 'K17'],
  F9: ['K18', 'K19', 'K20'],
};

function fileId(path: string, lane: Lane): string {
  const names = ['kustomization.yaml', 'namespace.yaml', 'postgres.yaml', 'mgr.yaml', 'runner-rbac.yaml'];
  if (path === 'source.json') return 'F1';
  if (path === lane.deployment.artifactCatalogPath) return 'F2';
  if (path === 'deploy/gitops/argocd/project.yaml') return 'F3';
  if (path === 'deploy/gitops/argocd/application-v01.yaml') return 'F4';
  const name = path.slice('deploy/gitops/runtime-v01/'.length);
  return names.includes(name) ? `F${5 + names.indexOf(name)}` : name;
}

/** Renders, undoes the given deviations, and returns the vector of each file. */
function vectors(lane: Lane, kind: 'image' | 'placeholder', deviations: readonly Deviation[]) {
  const artifact =
    kind === 'image' ? imageArtifact(lane, { ...IMAGE, status: 'published' }) : placeholderArtifact(lane, COMMIT);
  const rendered = renderLane(lane, { sourceCommit: COMMIT, artifact });
  const files = new Map<string, Slot[]>();
  for (const file of [{ ...rendered.controlPlane, path: 'control-plane' }, ...rendered.files]) {
    const id = file.path === 'control-plane' ? file.path : fileId(file.path, lane);
    const ids = id === 'F1' ? ['F1'] : id === 'F2' ? [`F2-${kind}`] : (OBJECT_IDS[id] ?? [id, id, id, id]);
    files.set(
      id,
      parsed(file.path === 'control-plane' ? rendered.controlPlane : file).map((value, at) => ({
        id: ids[at] ?? id,
        value,
      })),
    );
  }
  for (const { objects, undo } of deviations) {
    for (const [id, slots] of files) {
      if (objects.includes('K10') && id === 'F7') {
        files.set(id, [
          { id: 'K10', value: { apiVersion: 'v1', kind: 'List', items: slots.map(({ value }) => value) } },
        ]);
        continue;
      }
      for (const slot of slots.filter((candidate) => objects.includes(candidate.id))) {
        for (const operation of undo) {
          if (operation.op === 'drop')
            files.set(
              id,
              (files.get(id) ?? []).filter((other) => other !== slot),
            );
          else applyUndo(slot.value, operation, lane);
        }
      }
    }
  }
  const result: Record<string, string> = {};
  for (const [id, slots] of files) {
    if (slots.length === 0) continue;
    const text = canonicalize(slots.map(({ value }) => value)) ?? '';
    result[id] = createHash('sha256').update(text).digest('hex').slice(0, 16);
  }
  return result;
}

const root = join(import.meta.dirname, '..', '..', '..');
const deviations = readDeviations(root);
// Dropping objects comes before wrapping the rest in a List.
const ordered = [...deviations].sort(
  (a, b) => Number(a.undo[0]?.op === 'wrap-list') - Number(b.undo[0]?.op === 'wrap-list'),
);

describe('the contract, with our deviations undone', () => {
  it('is reproduced by the example lane with a real image', () => {
    expect(vectors(contractLane(), 'image', ordered)).toEqual(VECTORS.example.image);
  });

  it('is reproduced by the example lane with the placeholder', () => {
    expect(vectors(contractLane(), 'placeholder', ordered)).toEqual({
      ...VECTORS.example.image,
      ...VECTORS.example.placeholder,
    });
  });

  it.each(['image', 'placeholder'] as const)('is reproduced by the variant lane (%s)', (kind) => {
    const { F7: _none, ...rest } = VECTORS.example.image;
    const expected = {
      ...rest,
      ...(kind === 'image' ? {} : VECTORS.example.placeholder),
      ...VECTORS.variant.image,
      ...VECTORS.variant[kind],
    };
    // Without a local PostgreSQL the AppProject names no StatefulSet; undone, it is the contract's all the same.
    expect(vectors(contractVariant(), kind, ordered)).toEqual(expected);
  });

  it.each(deviations.map(({ id }) => [id]))('needs the row "%s"', (id) => {
    const without = ordered.filter((row) => row.id !== id);
    const all = { ...VECTORS.example.image };
    const differs = (['image', 'placeholder'] as const).some((kind) => {
      const expected = kind === 'image' ? all : { ...all, ...VECTORS.example.placeholder };
      return !isDeepStrictEqual(vectors(contractLane(), kind, without), expected);
    });
    expect(differs).toBe(true);
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { load } from 'js-yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkObjectSchema } from '../../../lib/src/check/object-schema.ts';
import { controlPlaneObjects } from '../../../lib/src/manifests/control-plane.ts';
import type { Json } from '../../../lib/src/manifests/kubernetes-object.ts';
import { contractLane } from '../../helpers/contract-lane.ts';
import { brokenObject, goodObject } from '../../helpers/good-objects.ts';

/** The definitions that a cluster with Argo CD and Tekton would judge by; they lie beside the repository. */
const CRDS = resolve(import.meta.dirname, '../../../../shared/reference/crds');
const FILES = {
  Application: ['argoproj.io_applications.yaml', 'v1alpha1'],
  AppProject: ['argoproj.io_appprojects.yaml', 'v1alpha1'],
  Pipeline: ['tekton.dev_pipelines.yaml', 'v1'],
} as const;
type Kind = keyof typeof FILES;

interface Crd {
  readonly spec: {
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: object } }[];
  };
}

/** What the API server does: fields that no schema names are unknown, unless the definition keeps them. */
function closedReading(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closedReading);
  if (typeof node !== 'object' || node === null) return node;
  const schema = Object.fromEntries(Object.entries(node).map(([key, child]) => [key, closedReading(child)])) as Record<
    string,
    unknown
  >;
  const kept = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (schema['properties'] !== undefined && schema['type'] === 'object' && !kept)
    schema['additionalProperties'] ??= false;
  if (schema['x-kubernetes-int-or-string'] === true) return { type: ['integer', 'string'] };
  return schema;
}

function upstream(kind: Kind): ValidateFunction {
  const [file, version] = FILES[kind];
  const crd = load(readFileSync(resolve(CRDS, file), 'utf8')) as Crd;
  const schema = crd.spec.versions.find(({ name }) => name === version)?.schema.openAPIV3Schema;
  if (schema === undefined) throw new Error(`${file} has no version ${version}`);
  const closed = closedReading(schema) as { properties: Record<string, unknown> };
  // The API server judges metadata by its own schema.
  closed.properties['metadata'] = { type: 'object' };
  return new Ajv({ strict: false, allErrors: true, logger: false, validateFormats: false }).compile(closed);
}

const present = existsSync(CRDS);
if (!present) console.warn('skipped: no upstream definitions in ../shared/reference/crds beside the repository');

describe.skipIf(!present)('the upstream definitions, read closed', () => {
  const judges = {} as Record<Kind, ValidateFunction>;
  beforeAll(() => {
    for (const kind of Object.keys(FILES) as Kind[]) judges[kind] = upstream(kind);
  });

  it.each(Object.keys(FILES) as Kind[])('accept our good %s, as we do', (kind) => {
    const passes = judges[kind](goodObject(kind));
    expect(judges[kind].errors ?? []).toEqual([]);
    expect(passes).toBe(true);
    expect(checkObjectSchema(goodObject(kind))).toEqual([]);
  });

  it.each(Object.keys(FILES) as Kind[])('accept the %s that is rendered', (kind) => {
    const object = controlPlaneObjects(contractLane()).find((candidate) => candidate.kind === kind);
    const passes = judges[kind](object);
    expect(judges[kind].errors ?? []).toEqual([]);
    expect(passes).toBe(true);
  });

  it.each([
    ['Application', '/spec/projct', 'x'],
    ['Application', '/spec/source/repoUrl', 'x'],
    ['Application', '/spec/destination/cluster', 'x'],
    ['Application', '/spec/syncPolicy/automated/selfheal', true],
    ['Application', '/spec/syncPolicy/retry/backoff/factor', 'two'],
    ['Application', '/spec/syncPolicy/retry/limit', 1.5],
    ['Application', '/spec/syncPolicy/syncOptions', 'PruneLast=true'],
    ['Application', '/spec/source/helm', { valuesFile: 'x' }],
    ['Application', '/spec/ignoreDifferences/0/kind', 7],
    ['Application', '/spec/destination', undefined],
    ['Application', '/spec/project', undefined],
    ['Application', '/spec/source/repoURL', undefined],
    ['AppProject', '/spec/sourceRepo', []],
    ['AppProject', '/spec/destinations/0/namespaces', []],
    ['AppProject', '/spec/clusterResourceWhitelist/0/kind', undefined],
    ['AppProject', '/spec/namespaceResourceWhitelist/0/group', 1],
    ['AppProject', '/spec/description', 5],
    ['AppProject', '/spec', undefined],
    ['Pipeline', '/spec/parameters', []],
    ['Pipeline', '/spec/params/0/name', undefined],
    ['Pipeline', '/spec/params/0/optional', true],
    ['Pipeline', '/spec/params/0/enum', 'x'],
    ['Pipeline', '/spec/workspaces/1/optional', 'yes'],
    ['Pipeline', '/spec/workspaces/0/readOnly', true],
    ['Pipeline', '/spec/results/0/value', undefined],
    ['Pipeline', '/spec/tasks/0/runsAfter', []],
    ['Pipeline', '/spec/tasks/0/retries', 'one'],
    ['Pipeline', '/spec/tasks/0/when/0/op', 'in'],
    ['Pipeline', '/spec/tasks/0/workspaces/0/name', undefined],
  ] as [Kind, string, Json | undefined][])('refuse %s %s = %j, as we do', (kind, pointer, value) => {
    const object = brokenObject(kind, pointer, value);
    expect(judges[kind](object)).toBe(false);
    expect(checkObjectSchema(object).length).toBeGreaterThan(0);
  });

  it.each([
    ['Pipeline', '/spec/tasks/0/taskSpec/steps/0/imagee', 'x'],
    ['Pipeline', '/spec/tasks/0/taskSpec/steps/0/image', undefined],
    ['Pipeline', '/spec/tasks/0/taskSpec/steps/0/script', ['x']],
    ['Pipeline', '/spec/tasks/0/taskSpec/step', []],
    ['Pipeline', '/spec/tasks/0/taskSpec/results/0/name', 5],
    ['Pipeline', '/spec/params/0/default', 5],
    ['Pipeline', '/spec/tasks/0/when/0/operator', 'equals'],
    ['Application', '/spec/syncPolicy/syncOptions/0', 'PruneLst=true'],
    ['Application', '/spec/syncPolicy/retry/backoff/duration', '5 seconds'],
    ['Application', '/metadata/labells', {}],
    ['AppProject', '/spec/clusterResourceWhitelist/0/kind', 'namespaces'],
  ] as [Kind, string, Json | undefined][])('leave %s %s = %j open, where we refuse', (kind, pointer, value) => {
    const object = brokenObject(kind, pointer, value);
    expect(judges[kind](object)).toBe(true);
    expect(checkObjectSchema(object).length).toBeGreaterThan(0);
  });
});

/**
 * Builders for the tests of those who use the library: a lane that is right, and what it renders. Nothing here reads a
 * file.
 *
 * @packageDocumentation
 */
import { placeholderArtifact } from './artifacts/artifact.ts';
import { AgentRunError } from './errors.ts';
import { exampleLane } from './lane/example-lane.ts';
import type { Lane } from './lane/lane.ts';
import { runtimeDirectory } from './lane/rendered-paths.ts';
import { type LaneInput, laneSchema } from './lane/schema/index.ts';
import { validateLaneObject } from './lane/validate-lane-object.ts';
import type { KubernetesObject } from './manifests/kubernetes-object.ts';
import { renderLane } from './render/render-lane.ts';

/** Any part of a value: fields that are left out keep what they are; lists are given whole. */
export type PartOf<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: PartOf<T[K]> }
    : T;

/** Any part of a lane file. */
export type LaneChanges = PartOf<LaneInput>;

/** The commit for which {@link renderToObjects} renders: forty zeros, which no repository has. */
export const TEST_COMMIT = '0'.repeat(40);

/** Their keys are the author's own, so they are replaced whole. */
const FREE_MAPS: ReadonlySet<string> = new Set(['env', 'secretEnv', 'matchLabels']);

/**
 * A valid lane: the example lane, `lanes/v0.1.yaml`, with changes. They are merged in the order given; lists and the
 * free maps `env`, `secretEnv` and `matchLabels` are replaced whole. Another `version` gives names of that version
 * throughout, so that two lanes do not conflict.
 *
 * @returns a fresh lane at each call, with defaults and nulls filled in
 * @throws AgentRunError with all problems, and the code of the first, when the changed lane is not right
 */
export function aLane(...changes: readonly LaneChanges[]): Lane {
  const { version = 'v0.1', labelDomain = laneSchema.properties.labelDomain.default } = changes.reduce<{
    version?: string;
    labelDomain?: string;
  }>((names, change) => ({ ...names, ...change }), {});
  const value = changes.reduce<unknown>(merge, exampleLane({ version, labelDomain }));
  const { lane, problems } = validateLaneObject(value);
  if (lane !== undefined) return lane;
  const errors = problems.filter(({ severity }) => severity === 'error');
  const message = errors.map((problem) => problem.message).join('; ');
  throw new AgentRunError(errors[0]?.code ?? 'internal', `the changed lane is not right: ${message}`, { problems });
}

/**
 * The objects that a lane puts into the cluster, each once: those of the control plane, then those that Argo CD syncs,
 * in the order of their files. Rendered with the placeholder image for {@link TEST_COMMIT}; not checked.
 */
export function renderToObjects(lane: Lane): KubernetesObject[] {
  const artifact = placeholderArtifact(lane, TEST_COMMIT);
  const { controlPlane, files } = renderLane(lane, { sourceCommit: TEST_COMMIT, artifact });
  const synced = files.filter(({ path }) => path.startsWith(`${runtimeDirectory(lane)}/`));
  return [controlPlane, ...synced].flatMap(({ objects }) => objects.filter(({ kind }) => kind !== 'Kustomization'));
}

function merge(base: unknown, change: unknown): unknown {
  if (!isMap(base) || !isMap(change)) return change;
  const result = { ...base };
  for (const [key, value] of Object.entries(change)) {
    if (value !== undefined) result[key] = FREE_MAPS.has(key) ? value : merge(result[key], value);
  }
  return result;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

import type { ApiObject } from 'cdk8s';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { imageArtifact } from '../../../lib/src/artifacts/artifact.ts';
import type { Lane } from '../../../lib/src/lane/lane.ts';
import type { KubernetesObject } from '../../../lib/src/manifests/kubernetes-object.ts';
import { synthesize } from '../../../lib/src/manifests/synthesize.ts';
import { renderLane } from '../../../lib/src/render/render-lane.ts';
import { anyLane } from '../../helpers/any-lane.ts';
import { contractLane, contractVariant } from '../../helpers/contract-lane.ts';
import { changedLeaves, plainProps } from '../../helpers/given-and-kept.ts';

type Constructor = new (scope: unknown, id: string, props?: object) => ApiObject;

/** What each constructor was given, in the order in which the objects were made; the snapshot is taken at once. */
const given = vi.hoisted((): { title: string; props: unknown }[] => []);

/** The class, which also writes down what it is given. */
function recording(Base: Constructor, title: string): Constructor {
  return class extends Base {
    constructor(scope: unknown, id: string, props?: object) {
      super(scope, id, props);
      given.push({ title, props: plainProps(props) });
    }
  };
}

vi.mock('cdk8s-plus-28/lib/imports/k8s.js', async (importOriginal) => {
  const real = await importOriginal<Record<string, unknown>>();
  const classes = Object.entries(real).filter(([name]) => /^Kube[A-Z]/.test(name));
  return {
    ...real,
    ...Object.fromEntries(classes.map(([name, Base]) => [name, recording(Base as Constructor, name)])),
  };
});

vi.mock('cdk8s', async (importOriginal) => {
  const real = await importOriginal<{ ApiObject: Constructor }>();
  return { ...real, ApiObject: recording(real.ApiObject, 'ApiObject') };
});

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** The objects of a lane beside what was given for each. The Kustomization and the copies of Argo CD are not built. */
function built(lane: Lane): { title: string; props: unknown; object: KubernetesObject }[] {
  const { controlPlane, files } = renderLane(lane, {
    sourceCommit: COMMIT,
    artifact: imageArtifact(lane, {
      sourceCommit: COMMIT,
      envIdentity: 'env-3f2a9c',
      digest: `sha256:${'ab'.repeat(32)}`,
      status: 'published',
    }),
  });
  const objects = [controlPlane, ...files]
    .filter(({ path }) => !path.includes('/argocd/'))
    .flatMap((file) => file.objects)
    .filter(({ kind }) => kind !== 'Kustomization');
  expect(given).toHaveLength(objects.length);
  return objects.map((object, at) => ({ title: '', props: undefined, ...given[at], object }));
}

afterEach(() => {
  given.length = 0;
});

describe('no field given to an object', () => {
  it.each([
    ["the contract's lane", contractLane()],
    ['its variant', contractVariant()],
  ])('is lost or changed in %s, and none is added', (_name, lane) => {
    const objects = built(lane);
    expect(objects.length).toBeGreaterThan(20);
    for (const { title, props, object } of objects) {
      expect(changedLeaves(props, object), `${title} ${object.kind}/${object.metadata?.name}`).toEqual([]);
      expect(title === 'ApiObject' ? object.kind : `Kube${object.kind}`).toBe(
        title === 'ApiObject' ? object.kind : title,
      );
    }
    expect(new Set(objects.map(({ title }) => title)).size).toBeGreaterThan(8);
  });

  it('is lost, changed or added in 100 other lanes', () => {
    for (const lane of fc.sample(anyLane(), { numRuns: 100, seed: 20_260_601 })) {
      for (const { title, props, object } of built(lane)) {
        const changed = changedLeaves(props, object);
        if (changed.length > 0) expect(changed, `${title} ${JSON.stringify(lane)}`).toEqual([]);
      }
      given.length = 0;
    }
  });
});

describe('a field that is lost', () => {
  it('is found: a misspelt one, a quantity and an int-or-string that were not converted', async () => {
    const { KubeDeployment, IntOrString, Quantity } = await import('cdk8s-plus-28/lib/imports/k8s.js');
    const [object] = synthesize((scope) => {
      new KubeDeployment(scope, 'bad', {
        metadata: { name: 'bad', labels: {} },
        spec: {
          selector: { matchLabels: { app: 'bad' } },
          replica: 2,
          strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: IntOrString.fromNumber(0) } },
          template: {
            metadata: { labels: { app: 'bad' } },
            spec: {
              containers: [
                {
                  name: 'bad',
                  env: [{ name: 'A', value: '1', valueOf: '2' }],
                  resources: { limits: { cpu: '2', memory: Quantity.fromString('1Gi') } },
                },
              ],
            },
          },
        },
      } as never);
    });
    expect(changedLeaves(given[0]?.props, object)).toEqual([
      'lost /metadata/labels: {}',
      'lost /spec/replica: 2',
      'lost /spec/strategy/rollingUpdate/maxSurge: "25%"',
      'lost /spec/template/spec/containers/0/env/0/valueOf: "2"',
      'lost /spec/template/spec/containers/0/resources/limits/cpu: "2"',
    ]);
  });

  it("is found in the API's spelling, which the class does not know, and not in the spelling of the class", async () => {
    const { KubeService } = await import('cdk8s-plus-28/lib/imports/k8s.js');
    const objects = synthesize((scope) => {
      for (const field of ['clusterIP', 'clusterIp']) {
        new KubeService(scope, field, { metadata: { name: 'bad' }, spec: { type: 'ClusterIP', [field]: 'None' } });
      }
    });
    expect(objects.map((object, at) => changedLeaves(given[at]?.props, object))).toEqual([
      ['lost /spec/clusterIP: "None"'],
      [],
    ]);
  });

  it('is told from one that is changed, and from one that is added', () => {
    const object = { apiVersion: 'v1', kind: 'X', a: 2, list: [1], more: true };
    expect(changedLeaves({ a: 1, list: [1, 2], none: undefined }, object)).toEqual([
      'changed /a: 1 to 2',
      'lost /list/1: 2',
      'added /more: true',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { imageArtifact, placeholderArtifact } from '../../../lib/src/artifacts/artifact.ts';
import { originFinder } from '../../../lib/src/check/origins.ts';
import type { Lane } from '../../../lib/src/lane/lane.ts';
import { parseLanePath, valueAt } from '../../../lib/src/lane/lane-path.ts';
import { type RenderedLane, renderLane } from '../../../lib/src/render/render-lane.ts';
import { ORIGIN_PLACES, variableOf } from '../../fixtures/outputs/origin-places.ts';
import { contractLane, contractVariant } from '../../helpers/contract-lane.ts';
import { containerPointer, objectAt, patched, setAt } from '../../helpers/patched-output.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const image = (lane: Lane) =>
  imageArtifact(lane, {
    sourceCommit: COMMIT,
    envIdentity: 'env-3f2a9c',
    digest: `sha256:${'ab'.repeat(32)}`,
    status: 'published',
  });
const render = (lane: Lane): RenderedLane => renderLane(lane, { sourceCommit: COMMIT, artifact: image(lane) });

describe('the origin of a place in the output', () => {
  const rendered = render(contractLane());
  const originsOf = originFinder(rendered);
  const finding = (object: string, pointer: string) => {
    const place = objectAt(rendered, object);
    return {
      code: 'output-schema',
      message: '',
      ...place,
      pointer: resolved(place.value, pointer),
    } as const;
  };

  it.each(ORIGIN_PLACES)('%s %s is %s', (object, pointer, ...origins) => {
    expect(originsOf(finding(object, pointer))).toEqual(origins);
  });

  it('is known for more than 25 places in every file that holds objects', () => {
    expect(ORIGIN_PLACES.length).toBeGreaterThan(25);
    const files = new Set(ORIGIN_PLACES.map(([object]) => objectAt(rendered, object).file));
    const copies = rendered.files.filter(({ path }) => path.includes('/argocd/')).map(({ path }) => path);
    const all = [rendered.controlPlane, ...rendered.files].filter(({ objects }) => objects.length > 0);
    expect([...files, ...copies].sort()).toEqual(all.map(({ path }) => path).sort());
  });

  it.each([
    ['project.yaml', '/spec/destinations/0/namespace', 'runtime.namespace'],
    ['application-v01.yaml', '/metadata/name', 'gitops.argoApplication'],
  ])('is found in the copy %s, too', (name, pointer, origin) => {
    const file = rendered.files.find(({ path }) => path.endsWith(`/${name}`))?.path ?? '';
    expect(originsOf({ code: 'output-schema', message: '', file, index: 0, pointer })).toEqual([origin]);
  });

  it('is that of the nearest place around where nothing stands, if few fields decide that', () => {
    const port = finding('Service/agentrun-mgr', '/spec/ports/0/targetPort');
    expect(originsOf(port)).toEqual(['runtime.managerPort']);
    const limits = finding('Deployment/agentrun-mgr', containerPointer('resources/limits/gpu'));
    expect(originsOf(limits)).toEqual([
      'deployment.manager.resources.limits.cpu',
      'deployment.manager.resources.limits.memory',
    ]);
    const resources = finding('Deployment/agentrun-mgr', containerPointer('resources/claims'));
    expect(originsOf(resources)).toEqual(['deployment.manager.resources']);
  });

  it('is nowhere for what only the renderer decides: no field is blamed for it', () => {
    for (const pointer of [
      containerPointer('imagePullPolicy'),
      containerPointer('env/999/value'),
      '/spec/paused',
      '',
    ]) {
      expect(originsOf({ ...finding('Deployment/agentrun-mgr', ''), pointer })).toEqual([]);
    }
    expect(originsOf({ code: 'output-schema', message: '', file: 'no/such.yaml' })).toEqual([]);
  });

  it('of a path is what the path is made of, not what the file holds', () => {
    const file = rendered.files.find(({ path }) => path.endsWith('/mgr.yaml'))?.path ?? '';
    expect(originsOf({ code: 'output-path-conflict', message: '', file })).toEqual([
      'deployment.gitopsRoot',
      'deployment.runtimeRenderDir',
    ]);
    expect(originsOf({ code: 'output-path', message: '', file: 'source.json' })).toEqual(['gitops.sourceFile']);
  });

  it('does not depend on what was changed in the output after it was rendered', () => {
    const object = 'Pipeline/agentrun-v01-ci';
    const broken = patched(rendered, object, setAt('/spec/params/7/default', 'x:latest'));
    expect(originFinder(broken)(finding(object, '/spec/params/7/default'))).toEqual(['ci.toolsImage']);
    expect(originFinder(broken)(finding('Namespace/agentrun-ci', '/metadata/name'))).toEqual(['ci.namespace']);
  });

  it('of the image is no field when the record was made elsewhere', () => {
    const lane = contractLane();
    const artifact = image(contractLane());
    const foreign = renderLane(lane, {
      sourceCommit: COMMIT,
      artifact: { ...artifact, envRepositoryDigest: `other.example.internal/x@sha256:${'cd'.repeat(32)}` },
    });
    const place = objectAt(foreign, 'Deployment/agentrun-mgr');
    const at = (pointer: string) => ({ code: 'output-image', message: '', ...place, pointer }) as const;
    expect(originFinder(foreign)(at(containerPointer('image')))).toEqual([]);
    expect(originFinder(foreign)(at('/spec/replicas'))).toEqual(['deployment.manager.replicas']);
  });

  it('is found in a lane without a PostgreSQL, with a proxy, and with a placeholder', () => {
    const lane = contractVariant();
    const variant = renderLane(lane, { sourceCommit: COMMIT, artifact: placeholderArtifact(lane, COMMIT) });
    const place = objectAt(variant, 'Deployment/agentrun-mgr');
    const origins = (name: string) =>
      originFinder(variant)({
        code: 'output-schema',
        message: '',
        ...place,
        pointer: resolved(place.value, variableOf(name)),
      });
    expect(origins('AGENTRUN_RUNNER_EGRESS_PROXY_URL')).toEqual(['deployment.runner.egressProxyUrl']);
    expect(origins('UNIDESK_SSH_ENDPOINT')).toEqual(['deployment.manager.unideskSshEndpointEnv.value']);
    expect(origins('ZED')).toEqual(['deployment.manager.env.ZED']);
    expect(origins('AGENTRUN_RUNNER_IMAGE')).toEqual(['ci.registryPrefix', 'deployment.manager.imageBuild.repository']);
  });

  it('is an existing field of the lane', () => {
    for (const origin of ORIGIN_PLACES.flatMap(([, , ...origins]) => origins)) {
      expect(valueAt(rendered.lane, parseLanePath(origin)), origin).toBeDefined();
    }
  });
});

/** The pointer with `env[NAME]` as a position. */
function resolved(object: unknown, pointer: string): string {
  const name = /env\[([A-Z_]+)\]/.exec(pointer)?.[1];
  if (name === undefined) return pointer;
  const list = valueAt(object, ['spec', 'template', 'spec', 'containers', 0, 'env']) as { name: string }[];
  const position = list.findIndex((entry) => entry.name === name);
  expect(position, name).toBeGreaterThanOrEqual(0);
  return pointer.replace(/env\[[A-Z_]+\]/, `env/${position}`);
}

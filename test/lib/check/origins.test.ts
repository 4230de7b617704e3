import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { imageArtifact, placeholderArtifact } from '../../../lib/src/artifacts/artifact.ts';
import { checkLane } from '../../../lib/src/check/check-lane.ts';
import { checkRendered } from '../../../lib/src/check/check-rendered.ts';
import { originFinder } from '../../../lib/src/check/origins.ts';
import type { Lane } from '../../../lib/src/lane/lane.ts';
import { parseLanePath, valueAt } from '../../../lib/src/lane/lane-path.ts';
import { type LoadedLane, loadLaneSync } from '../../../lib/src/lane/load-lane.ts';
import { type RenderedLane, renderLane } from '../../../lib/src/render/render-lane.ts';
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

const env = (name: string) => containerPointer(`env[${name}]/value`);

/** What stands at a place, and the fields of the lane that decide it, in the order of the lane. */
const PLACES: readonly (readonly [object: string, pointer: string, ...origins: string[]])[] = [
  // The control plane.
  ['Namespace/agentrun-ci', '/metadata/name', 'ci.namespace'],
  ['Role/agentrun-v01-ci', '/metadata/name', 'ci.serviceAccountName'],
  ['RoleBinding/agentrun-v01-ci', '/subjects/0/namespace', 'ci.namespace'],
  ['Pipeline/agentrun-v01-ci', '/metadata/name', 'ci.pipeline'],
  ['Pipeline/agentrun-v01-ci', '/spec/params/0/default', 'source.remote'],
  ['Pipeline/agentrun-v01-ci', '/spec/params/2/default', 'gitMirror.writeUrl'],
  ['Pipeline/agentrun-v01-ci', '/spec/params/7/default', 'ci.toolsImage'],
  ['Pipeline/agentrun-v01-ci', '/spec/tasks/0/taskSpec/steps/0/env/2/value', 'version'],
  // The files of Argo CD.
  ['AppProject/agentrun-v01', '/spec/sourceRepos/0', 'gitops.repoURL'],
  ['AppProject/agentrun-v01', '/metadata/namespace', 'gitops.argoNamespace'],
  ['AppProject/agentrun-v01', '/spec/namespaceResourceWhitelist/4/kind', 'deployment.localPostgres.enabled'],
  ['Application/agentrun-v01', '/spec/source/path', 'gitops.path'],
  ['Application/agentrun-v01', '/spec/source/targetRevision', 'gitops.branch'],
  ['Application/agentrun-v01', '/spec/project', 'deployment.argocd.project'],
  // The runtime directory.
  ['Kustomization', '/resources/1', 'deployment.localPostgres.enabled'],
  ['Namespace/agentrun-v01', '/metadata/name', 'runtime.namespace'],
  ['Namespace/agentrun-v01', '/metadata/labels/agentrun.pikastech.local~1lane', 'version', 'labelDomain'],
  ['StatefulSet/agentrun-v01-postgres', containerPointer('image'), 'deployment.localPostgres.image'],
  ['StatefulSet/agentrun-v01-postgres', '/spec/serviceName', 'deployment.localPostgres.serviceName'],
  [
    'StatefulSet/agentrun-v01-postgres',
    '/spec/volumeClaimTemplates/0/spec/resources/requests/storage',
    'deployment.localPostgres.storage',
  ],
  [
    'StatefulSet/agentrun-v01-postgres',
    '/spec/volumeClaimTemplates/0/spec/storageClassName',
    'deployment.localPostgres.storageClassName',
  ],
  [
    'StatefulSet/agentrun-v01-postgres',
    '/spec/template/spec/securityContext/runAsUser',
    'deployment.localPostgres.runAsUser',
  ],
  ['StatefulSet/agentrun-v01-postgres', containerPointer('env/0/value'), 'deployment.localPostgres.database'],
  [
    'StatefulSet/agentrun-v01-postgres',
    containerPointer('env/2/valueFrom/secretKeyRef/name'),
    'database.secretRef.name',
  ],
  ['Service/agentrun-v01-postgres-headless', '/spec/ports/0/port', 'deployment.localPostgres.port'],
  ['ServiceAccount/agentrun-v01-mgr', '/metadata/name', 'deployment.manager.serviceAccount'],
  ['Service/agentrun-mgr', '/spec/ports/0/port', 'runtime.managerPort'],
  ['Service/agentrun-mgr', '/spec/selector', 'runtime.managerDeployment'],
  ['Deployment/agentrun-mgr', '/spec/replicas', 'deployment.manager.replicas'],
  [
    'Deployment/agentrun-mgr',
    containerPointer('image'),
    'ci.registryPrefix',
    'deployment.manager.imageBuild.repository',
  ],
  ['Deployment/agentrun-mgr', env('AGENTRUN_RUNNER_IDLE_TIMEOUT_MS'), 'deployment.runner.idleTimeoutMs'],
  ['Deployment/agentrun-mgr', env('AGENTRUN_INTERNAL_MGR_URL'), 'runtime.internalBaseUrl'],
  ['Deployment/agentrun-mgr', env('AGENTRUN_CANCEL_DELIVERY_MODE'), 'deployment.runner.cancelLifecycle.deliveryMode'],
  ['Deployment/agentrun-mgr', env('AGENTRUN_CANCEL_EVENT_STAGES'), 'deployment.runner.cancelLifecycle.eventStages'],
  [
    'Deployment/agentrun-mgr',
    env('AGENTRUN_RUNNER_NO_PROXY_EXTRA'),
    'deployment.runner.noProxyExtra[0]',
    'deployment.runner.noProxyExtra[1]',
  ],
  ['Deployment/agentrun-mgr', env('AGENTRUN_AIPOD_SPEC_DIR'), 'deployment.manager.env.AGENTRUN_AIPOD_SPEC_DIR'],
  ['Deployment/agentrun-mgr', env('AGENTRUN_LABEL_DOMAIN'), 'labelDomain'],
  ['Deployment/agentrun-mgr', env('AGENTRUN_RUNNER_PLACEMENT'), 'deployment.runner.placement'],
  [
    'Deployment/agentrun-mgr',
    containerPointer('resources/limits/memory'),
    'deployment.manager.resources.limits.memory',
  ],
  ['Role/agentrun-v01-mgr-provider-secret-manager', '/rules/1/resourceNames/0', 'deployment.manager.serviceAccount'],
  ['RoleBinding/agentrun-v01-runner-secret-reader', '/roleRef/name', 'deployment.runner.serviceAccount'],
  ['LimitRange/agentrun-v0-1-defaults', '/metadata/namespace', 'runtime.namespace'],
  [
    'NetworkPolicy/runner-egress',
    '/spec/egress/2/to/0/ipBlock/except/0',
    'deployment.network.runnerEgress[0].except[0]',
  ],
  [
    'NetworkPolicy/runner-egress',
    '/spec/podSelector/matchLabels/agentrun.pikastech.local~1lane',
    'version',
    'labelDomain',
  ],
  ['NetworkPolicy/postgres-ingress', '/spec/ingress/0/ports/0/port', 'deployment.localPostgres.port'],
];

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

  it.each(PLACES)('%s %s is %s', (object, pointer, ...origins) => {
    expect(originsOf(finding(object, pointer))).toEqual(origins);
  });

  it('is known for more than 25 places in every file that holds objects', () => {
    expect(PLACES.length).toBeGreaterThan(25);
    const files = new Set(PLACES.map(([object]) => objectAt(rendered, object).file));
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
        pointer: resolved(place.value, env(name)),
      });
    expect(origins('AGENTRUN_RUNNER_EGRESS_PROXY_URL')).toEqual(['deployment.runner.egressProxyUrl']);
    expect(origins('UNIDESK_SSH_ENDPOINT')).toEqual(['deployment.manager.unideskSshEndpointEnv.value']);
    expect(origins('ZED')).toEqual(['deployment.manager.env.ZED']);
    expect(origins('AGENTRUN_RUNNER_IMAGE')).toEqual(['ci.registryPrefix', 'deployment.manager.imageBuild.repository']);
  });

  it('is an existing field of the lane', () => {
    for (const origin of PLACES.flatMap(([, , ...origins]) => origins)) {
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

describe('a problem of the output', () => {
  const folder = mkdtempSync(join(tmpdir(), 'agentrun-origins-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const fixture = readFileSync(join(import.meta.dirname, '../../fixtures/lanes/v0.1.yaml'), 'utf8');
  const path = join(folder, 'v0.1.yaml');
  writeFileSync(path, fixture);
  const loaded: LoadedLane = loadLaneSync(path, { displayPath: 'lanes/v0.1.yaml' });
  const rendered = render(loaded.lane);

  it('is none for what was rendered of the lane file', () => {
    expect(checkLane(loaded, rendered)).toEqual([]);
  });

  it.each([
    ['Deployment/agentrun-mgr', '/spec/replicas', 'two', 'output-schema', 'deployment.manager.replicas', 'manager:'],
    [
      'Service/agentrun-mgr',
      '/metadata/name',
      'Bad_Name',
      'output-schema',
      'runtime.managerService',
      'managerService: agentrun-mgr',
    ],
    [
      'StatefulSet/agentrun-v01-postgres',
      containerPointer('image'),
      'postgres:17',
      'output-image',
      'deployment.localPostgres.image',
      'image: docker.io/library/postgres:17-alpine@sha256:',
    ],
    [
      'Pipeline/agentrun-v01-ci',
      '/spec/params/7/default',
      'registry.example.internal/ci-tools:latest',
      'output-image',
      'ci.toolsImage',
      'toolsImage: registry.example.internal:5000/agentrun/ci-tools:2026.06@sha256:',
    ],
  ] as const)('at %s %s stands at the line of its field', (object, pointer, value, code, lanePath, line) => {
    const broken = patched(rendered, object, setAt(pointer, value));
    const problem = checkLane(loaded, broken).find((candidate) => candidate.pointer === pointer);
    const title = pointer === '/metadata/name' ? `Service/${value}` : object;
    const lines = fixture.split('\n');
    expect(problem).toMatchObject({
      code,
      severity: 'error',
      file: 'lanes/v0.1.yaml',
      lanePath,
      object: title,
      pointer,
    });
    expect(lines[(problem?.line ?? 0) - 1]).toContain(line);
    const { column = 0, endColumn = 0, endLine } = problem ?? {};
    expect(endLine).toBe(problem?.line);
    const marked = (lines[(problem?.line ?? 0) - 1] ?? '').slice(column - 1, endColumn - 1);
    const field = valueAt(loaded.lane, parseLanePath(lanePath));
    // The number of replicas is a default: the mapping that would hold it is shown.
    expect(marked).toBe(lanePath === 'deployment.manager.replicas' ? 'manager' : String(field));
    expect(problem?.message).toContain(`${objectAt(broken, problem?.object ?? '').file}: ${title} ${pointer}`);
    expect(problem?.frame).toMatch(new RegExp(`^> +${problem?.line} \\|`, 'm'));
    expect(problem?.frame).toMatch(/^ +\| +\^~*$/m);
  });

  it('that no field decides stands at the rendered file, without a line', () => {
    const broken = patched(rendered, 'Deployment/agentrun-mgr', setAt(containerPointer('imagePullPolicy'), 'Alwayss'));
    const problems = checkLane(loaded, broken);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'output-schema', file: 'deploy/gitops/runtime-v01/mgr.yaml' });
    for (const member of ['line', 'column', 'lanePath', 'frame']) expect(problems[0]).not.toHaveProperty(member);
  });

  it('that two fields decide names the other one', () => {
    const image = containerPointer('image');
    const broken = patched(rendered, 'Deployment/agentrun-mgr', setAt(image, 'registry.example.internal/x:latest'));
    const problem = checkLane(loaded, broken).find(({ pointer }) => pointer === image);
    expect(problem?.lanePath).toBe('ci.registryPrefix');
    expect(problem?.message).toContain('also decided by deployment.manager.imageBuild.repository');
  });

  it('stands for every finding, in the same order', () => {
    const broken = patched(rendered, 'Deployment/agentrun-mgr', setAt('/spec', {}));
    const findings = checkRendered(broken);
    expect(findings.length).toBeGreaterThan(3);
    expect(checkLane(loaded, broken).map(({ code, pointer }) => ({ code, pointer }))).toEqual(
      findings.map(({ code, pointer }) => ({ code, pointer })),
    );
  });
});

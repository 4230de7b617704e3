import { describe, expect, it } from 'vitest';
import { checkObjectSchema } from '../../../lib/src/check/object-schema.ts';
import type { Json, KubernetesObject } from '../../../lib/src/manifests/kubernetes-object.ts';
import { brokenObject, GOOD_OBJECTS } from '../../helpers/good-objects.ts';

const POD = '/spec/template/spec';
const CONTAINER = `${POD}/containers/0`;
const STEP = '/spec/tasks/0/taskSpec/steps/2';

/** The good object of a kind with one field added. */
const withField = (kind: string, pointer: string, value: Json = 'x') =>
  checkObjectSchema(brokenObject(kind, pointer, value));

/** Every object and list of objects below a value, as pointers; free maps are left out by name. */
function closedPlaces(value: unknown, pointer = ''): string[] {
  const maps =
    /\/(labels|annotations|commonAnnotations|pairs|matchLabels|nodeSelector|selector|data|limits|requests|default|defaultRequest|max|min|maxLimitRequestRatio)$/;
  const isMap = maps.test(pointer) && !/(spec\/selector|spec\/limits)$/.test(pointer);
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => closedPlaces(item, `${pointer}/${index}`));
  if (isMap) return [];
  const below = Object.entries(value).flatMap(([key, child]) => closedPlaces(child, `${pointer}/${key}`));
  return [pointer, ...below];
}

/** The selector of a Service is a map, the one of a workload is not. */
const isSelectorMap = (kind: string, place: string) => kind === 'Service' && place === '/spec/selector';

describe('an unknown field', () => {
  const cases = GOOD_OBJECTS.flatMap((object) =>
    closedPlaces(object)
      .filter((place) => !isSelectorMap(object.kind, place))
      .map((place) => [object.kind, place] as const),
  );

  it('is tried at many depths', () => {
    expect(cases.length).toBeGreaterThan(200);
  });

  it.each(cases)('%s: refused at "%s", at its own pointer', (kind, place) => {
    const findings = withField(kind, `${place}/notAField`);
    expect(findings.map(({ code, pointer }) => [code, pointer])).toEqual([['output-schema', `${place}/notAField`]]);
  });

  it('is named, with the field that was meant', () => {
    const object = brokenObject('Pipeline', `${STEP}/imagee`, 'x');
    expect(checkObjectSchema(object)).toEqual([
      {
        code: 'output-schema',
        pointer: `${STEP}/imagee`,
        message: expect.stringContaining(
          'spec.tasks[0].taskSpec.steps[2].imagee is an unknown field, did you mean "image"?; allowed here: name, image,',
        ),
        hint: 'Rename it to "image".',
      },
    ]);
  });

  it('lists what is allowed only when that is short', () => {
    expect(withField('LimitRange', '/spec/limts')[0]?.message).toContain('; allowed here: limits');
    expect(withField('Deployment', `${POD}/zzz`)[0]?.message).toBe('spec.template.spec.zzz is an unknown field');
  });

  it('finds the right name in the wrong case, too', () => {
    expect(withField('Service', '/spec/clusterIp')[0]?.hint).toBe('Rename it to "clusterIP".');
  });

  it('says nothing more about the field that was meant', () => {
    const object = brokenObject('Deployment', `${CONTAINER}/name`);
    const container = (object['spec'] as { template: { spec: { containers: Record<string, Json>[] } } }).template.spec
      .containers[0];
    if (container !== undefined) container['nam'] = 'mgr';
    expect(checkObjectSchema(object).map(({ pointer }) => pointer)).toEqual([`${CONTAINER}/nam`]);
  });

  it('has an escaped pointer', () => {
    expect(withField('Deployment', '/spec/a~1b~0c').map(({ pointer }) => pointer)).toEqual(['/spec/a~1b~0c']);
  });
});

describe('a wrong type', () => {
  it.each([
    ['Deployment', '/spec/replicas', '1', 'spec.replicas must be an integer of at least 0, found "1"'],
    [
      'Deployment',
      `${CONTAINER}/command`,
      'node',
      'spec.template.spec.containers[0].command must be a list, found "node"',
    ],
    [
      'Deployment',
      `${CONTAINER}/env/0/value`,
      5,
      'spec.template.spec.containers[0].env[0].value must be a text, found 5',
    ],
    [
      'Deployment',
      `${CONTAINER}/securityContext`,
      [],
      'spec.template.spec.containers[0].securityContext must be a mapping',
    ],
    [
      'Deployment',
      `${POD}/enableServiceLinks`,
      'no',
      'spec.template.spec.enableServiceLinks must be true or false, found "no"',
    ],
    ['Deployment', '/metadata', null, 'metadata must be a mapping'],
    ['Deployment', '/metadata/annotations/a', true, 'metadata.annotations.a must be a text, found true'],
    ['ConfigMap', '/data/level', 3, 'data.level must be a text, found 3'],
    ['Service', '/spec/ports/0/port', '5432', 'spec.ports[0].port must be a port from 1 to 65535, found "5432"'],
    [
      'NetworkPolicy',
      '/spec/ingress/0/ports/0/port',
      1.5,
      'spec.ingress[0].ports[0].port must be a port from 1 to 65535',
    ],
    ['Role', '/rules', {}, 'rules must be a list, found an empty mapping'],
    ['Application', '/spec/syncPolicy/automated/prune', 'yes', 'spec.syncPolicy.automated.prune must be true or false'],
    ['AppProject', '/spec/sourceRepos', 'x', 'spec.sourceRepos must be a list, found "x"'],
    [
      'Pipeline',
      '/spec/params/0/default',
      7,
      'spec.params[0].default must be a text, a list of texts, or a map of texts',
    ],
    ['Pipeline', '/spec/tasks/0/retries', '1', 'spec.tasks[0].retries must be an integer of at least 0, found "1"'],
    ['Kustomization', '/resources', 'a.yaml', 'resources must be a list'],
  ] as [string, string, Json, string][])('%s %s = %j', (kind, pointer, value, message) => {
    const findings = checkObjectSchema(brokenObject(kind, pointer, value));
    expect(findings.map((finding) => [finding.code, finding.pointer])).toEqual([['output-schema', pointer]]);
    expect(findings[0]?.message).toContain(message);
  });
});

describe('a missing field', () => {
  it.each([
    ['Deployment', '/spec/selector', 'spec.selector'],
    ['Deployment', `${CONTAINER}/name`, 'spec.template.spec.containers[0].name'],
    [
      'Deployment',
      `${CONTAINER}/volumeMounts/0/mountPath`,
      'spec.template.spec.containers[0].volumeMounts[0].mountPath',
    ],
    ['StatefulSet', '/spec/serviceName', 'spec.serviceName'],
    ['Service', '/spec/ports/0/port', 'spec.ports[0].port'],
    ['RoleBinding', '/roleRef/name', 'roleRef.name'],
    ['Role', '/rules/0/verbs', 'rules[0].verbs'],
    ['LimitRange', '/spec/limits/0/type', 'spec.limits[0].type'],
    ['Application', '/spec/destination', 'spec.destination'],
    ['Application', '/spec/project', 'spec.project'],
    ['AppProject', '/spec/clusterResourceWhitelist/0/kind', 'spec.clusterResourceWhitelist[0].kind'],
    ['Pipeline', `${STEP}/image`, 'spec.tasks[0].taskSpec.steps[2].image'],
    ['Pipeline', '/spec/tasks/0/taskSpec', 'spec.tasks[0].taskSpec'],
    ['Pipeline', '/spec/tasks', 'spec.tasks'],
    ['Kustomization', '/labels/0/pairs', 'labels[0].pairs'],
  ])('%s %s', (kind, pointer, name) => {
    const findings = checkObjectSchema(brokenObject(kind, pointer));
    const holder = pointer.slice(0, pointer.lastIndexOf('/'));
    expect(findings).toEqual([{ code: 'output-schema', pointer: holder, message: `${name} is missing` }]);
  });
});

describe('Tekton and kustomize, beyond types', () => {
  it.each([
    ['Pipeline', `${STEP}/timeout`, '5 minutes'],
    ['Pipeline', `${STEP}/onError`, 'ignore'],
    ['Pipeline', `${STEP}/securityContext/runAsUser`, -1],
    ['Pipeline', `${STEP}/computeResources/limits/memory`, '1GB'],
    ['Pipeline', '/spec/tasks/0/name', 'Publish'],
    ['Pipeline', '/spec/tasks/0/when/0/operator', 'equals'],
    ['Pipeline', '/spec/tasks/0/when/0/values', []],
    ['Pipeline', '/spec/params/0/type', 'number'],
    ['Pipeline', '/spec/params/2/enum', []],
    ['Pipeline', '/spec/params/0/name', 'no dots.or spaces'],
    ['Pipeline', '/spec/tasks/0/taskSpec/workspaces/1/mountPath', 'ssh'],
    ['Kustomization', '/namespace', 'Bad_Namespace'],
    ['Kustomization', '/labels/0/pairs/app.kubernetes.io~1part-of', 'a b'],
    ['Kustomization', '/images/0/name', ''],
  ] as [string, string, Json][])('%s %s = %j is refused', (kind, pointer, value) => {
    expect(checkObjectSchema(brokenObject(kind, pointer, value)).map((finding) => finding.pointer)).toEqual([pointer]);
  });

  it('a step takes a script or a command, not both', () => {
    const findings = withField('Pipeline', `${STEP}/command`, ['sh']);
    expect(findings.map(({ pointer }) => pointer)).toEqual([STEP]);
    expect(findings[0]?.message).toContain('takes either "script" or "command", not both; found name, image,');
  });

  it('a resource stands once in a Kustomization', () => {
    const findings = checkObjectSchema(brokenObject('Kustomization', '/resources', ['a.yaml', 'b.yaml', 'a.yaml']));
    expect(findings.map(({ pointer, message }) => [pointer, message])).toEqual([
      ['/resources/2', 'resources[2] repeats the item 0: "a.yaml"'],
    ]);
  });
});

describe('a word that is not allowed', () => {
  it('is shown with the words that are, and the one that was meant', () => {
    expect(withField('Deployment', `${CONTAINER}/imagePullPolicy`, 'Alwayss')).toEqual([
      {
        code: 'output-schema',
        pointer: `${CONTAINER}/imagePullPolicy`,
        message:
          'spec.template.spec.containers[0].imagePullPolicy must be one of "Always", "IfNotPresent", "Never", found "Alwayss"',
        hint: 'Did you mean "Always"?',
      },
    ]);
  });

  it('is measured by the narrower of two lists', () => {
    expect(withField('Job', `${POD}/restartPolicy`, 'Sometimes')[0]?.message).toContain('one of "Never", "OnFailure"');
  });
});

describe('many faults', () => {
  it('are reported all at once, one for each place', () => {
    const object = brokenObject('Deployment', `${CONTAINER}/ports/0`, {
      containerPort: 0,
      name: 'A_VERY_LONG_PORT_NAME',
      x: 1,
    });
    object.metadata = { name: 'BAD_Name!', labels: { 'a b': 'c d' } };
    const pointers = checkObjectSchema(object).map(({ pointer }) => pointer);
    expect([...pointers].sort()).toEqual([
      '/metadata/labels/a b',
      '/metadata/name',
      `${CONTAINER}/ports/0/containerPort`,
      `${CONTAINER}/ports/0/name`,
      `${CONTAINER}/ports/0/x`,
    ]);
  });

  it('in a wholly wrong object end, and quote no schema language', () => {
    const findings = checkObjectSchema({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: 7,
      spec: [],
    } as unknown as KubernetesObject);
    expect(findings.map(({ pointer }) => pointer)).toEqual(['/metadata', '/spec']);
    for (const { message } of findings) expect(message).not.toMatch(/\$ref|oneOf|pattern|\^/);
  });
});

describe('a probe with two handlers', () => {
  it('gives one finding, without the branches of the alternative', () => {
    const findings = withField('Deployment', `${CONTAINER}/readinessProbe/exec`, { command: ['true'] });
    expect(findings.map(({ pointer }) => pointer)).toEqual([`${CONTAINER}/readinessProbe`]);
    expect(findings[0]?.message).toContain('takes exactly one of exec, grpc, httpGet, tcpSocket; found');
  });
});

import { describe, expect, it } from 'vitest';
import { checkObjectSchema } from '../../../lib/src/check/object-schema.ts';
import type { Json, KubernetesObject } from '../../../lib/src/manifests/kubernetes-object.ts';
import { brokenObject, goodObject } from '../../helpers/good-objects.ts';

const POD = '/spec/template/spec';
const CONTAINER = `${POD}/containers/0`;

describe('a kind without a schema', () => {
  it('is refused at its kind, with the kind that was meant', () => {
    expect(checkObjectSchema({ apiVersion: 'apps/v1', kind: 'Deploymentt', metadata: { name: 'a' } })).toEqual([
      {
        code: 'output-no-schema',
        pointer: '/kind',
        message: 'there is no schema for the kind "Deploymentt" of "apps/v1"',
        hint: 'Did you mean Deployment?',
      },
    ]);
  });

  it('is refused at its apiVersion when only that is wrong', () => {
    expect(checkObjectSchema({ ...goodObject('Deployment'), apiVersion: 'apps/v1beta1' })).toEqual([
      {
        code: 'output-no-schema',
        pointer: '/apiVersion',
        message: 'apiVersion of a Deployment must be "apps/v1", found "apps/v1beta1"',
      },
    ]);
  });

  it.each(['v1/Secret', 'v1/List', 'v1/toString', '/constructor'])('%s', (key) => {
    const slash = key.indexOf('/');
    const object = { apiVersion: key.slice(0, slash), kind: key.slice(slash + 1), metadata: { name: 'a' } };
    expect(checkObjectSchema(object).map(({ code }) => code)).toEqual(['output-no-schema']);
  });

  it('an object that says neither is refused for both', () => {
    expect(checkObjectSchema({} as KubernetesObject).map(({ message }) => message)).toEqual([
      'apiVersion is missing',
      'kind is missing',
    ]);
  });
});

describe('texts of the object', () => {
  const secret = 'hunter2-hunter2';
  const mask = (text: string) => text.replaceAll(secret, '***');
  const places: [string, Json][] = [
    ['/metadata/name', `${secret}!`],
    [`/metadata/labels/${secret}!`, 'x'],
    [`/metadata/labels/app`, `${secret}!`],
    [`/metadata/${secret}`, 'x'],
    [`/metadata/annotations/${secret}`, 5],
    [`${CONTAINER}/imagePullPolicy`, secret],
    [`${CONTAINER}/env/0`, { name: 'A', value: 'b', valueFrom: { [secret]: 1 } }],
    [`${CONTAINER}/livenessProbe`, { [secret]: 1 }],
    [`${POD}/volumes/0`, { name: 'tmp', emptyDir: {}, hostPath: { path: secret } }],
    ['/kind', secret],
    ['/apiVersion', secret],
  ];

  it.each(places)('at %s are masked in messages and hints', (pointer, value) => {
    const object = brokenObject('Deployment', pointer, value);
    expect(checkObjectSchema(object).length).toBeGreaterThan(0);
    for (const { message, hint = '' } of checkObjectSchema(object, mask)) expect(message + hint).not.toContain(secret);
  });

  it('stay on one line and short', () => {
    const [finding] = checkObjectSchema(
      brokenObject('Deployment', '/metadata/name', `\u001b[31m\n${'x'.repeat(5000)}`),
    );
    expect(finding?.message).not.toMatch(/\p{Cc}/u);
    expect(finding?.message.length).toBeLessThan(300);
  });
});

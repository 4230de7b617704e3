import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { checkSecrets, type SecretGateFinding } from '../../../lib/src/check/secret-gate.ts';
import type { KubernetesObject } from '../../../lib/src/manifests/kubernetes-object.ts';
import { yamlDocuments } from '../../../lib/src/render/yaml.ts';
import { opaqueSecrets, plantedSecrets } from '../../helpers/planted-secrets.ts';
import {
  CONTAINER,
  configMap,
  deployment,
  fileOf,
  POSITIONS,
  pipeline,
  project,
  STEP,
} from '../../helpers/secret-positions.ts';

const PLANTED = plantedSecrets(3);
const OPAQUE = opaqueSecrets(100);

/** No part of a secret of more than 11 characters stands in a finding. */
function expectSilent(findings: readonly SecretGateFinding[], secret: string, about: string): void {
  const printed = JSON.stringify(findings);
  for (let at = 0; at === 0 || at + 12 <= secret.length; at += 3) {
    expect(printed.includes(secret.slice(at, at + 12)), `${about}: a finding shows the secret`).toBe(false);
  }
}

describe('the secret gate', () => {
  for (const [name, { place, object, pointer, free }] of Object.entries(POSITIONS)) {
    it(`finds every known shape in ${name}, and names the place`, () => {
      for (const { shape, text, secret } of PLANTED) {
        const findings = checkSecrets([fileOf(place(text))]);
        expect(findings[0], `${shape} in ${name}`).toMatchObject({ code: 'output-secret', index: 0, object, pointer });
        expect(findings[0]?.message).toContain(pointer);
        expectSilent(findings, secret, shape);
      }
    });

    it(`finds every known shape in ${name} in base64, once and twice`, () => {
      for (const { shape, text, secret } of PLANTED) {
        const once = Buffer.from(text).toString('base64');
        for (const encoded of [once, Buffer.from(once).toString('base64')]) {
          const findings = checkSecrets([fileOf(place(encoded))]);
          expect(findings[0], `${shape} in ${name}`).toMatchObject({ object, pointer });
          expectSilent(findings, secret, shape);
          expectSilent(findings, encoded, shape);
        }
      }
    });

    it(`${free ? 'finds' : 'does not look for'} random strings in ${name}`, () => {
      for (const text of OPAQUE) {
        const findings = checkSecrets([fileOf(place(text))]);
        if (free) expect(findings[0], `${text} in ${name}`).toMatchObject({ object, pointer });
        else expect(findings).toEqual([]);
        expectSilent(findings, text, name);
      }
    });
  }

  it('finds every known shape in the raw text of files that hold no objects, with its line', () => {
    for (const { shape, text, secret } of PLANTED) {
      const json = { path: 'source.json', content: `${JSON.stringify({ lane: 'v0.1', note: text }, null, 2)}\n` };
      const script = { path: 'run.sh', content: `#!/bin/sh\nrun ${text}\n` };
      const comment = {
        path: 'a.yaml',
        content: `# ${text.split('\n').join('\n# ')}\n${yamlDocuments([project('fine')])}`,
        objects: [project('fine')],
      };
      for (const [file, line] of [
        [json, 3],
        [script, 2],
        [comment, 1],
      ] as const) {
        const findings = checkSecrets([file]);
        expect(findings[0], `${shape} in ${file.path}`).toMatchObject({ code: 'output-secret', file: file.path });
        expect(findings[0]?.message).toContain(`line ${line};`);
        expectSilent(findings, secret, shape);
      }
    }
  });

  it('refuses a Secret that carries values, and takes a reference to one', () => {
    const secret = (fields: object): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'db' },
      type: 'Opaque',
      ...fields,
    });
    expect(checkSecrets([fileOf(secret({ stringData: { mode: 'plain' } }))])).toMatchObject([
      { object: 'Secret/db', pointer: '/stringData' },
    ]);
    expect(
      checkSecrets([fileOf(secret({ data: { url: 'cGxhaW4=' }, stringData: {} }))]).map(({ pointer }) => pointer),
    ).toEqual(['/data', '/stringData']);
    const list: KubernetesObject = { apiVersion: 'v1', kind: 'List', items: [secret({ data: { a: 'YQ==' } })] };
    expect(checkSecrets([fileOf(list)])).toMatchObject([{ object: 'Secret/db', pointer: '/items/0/data' }]);
    expect(checkSecrets([fileOf(secret({}))])).toEqual([]);
    const applied = {
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(secret({ data: { a: 'YQ==' } })),
    };
    expect(checkSecrets([fileOf(deployment({}, applied))])).toHaveLength(1);
    const valueFrom = { secretKeyRef: { name: 'agentrun-v01-api-key', key: 'AGENTRUN_API_KEY' } };
    expect(checkSecrets([fileOf(deployment({ env: [{ name: 'AGENTRUN_API_KEY', valueFrom }] }))])).toEqual([]);
  });

  it('refuses a Secret in text that was not parsed', () => {
    const content = yamlDocuments([
      project('fine'),
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, stringData: { mode: 'plain' } },
    ]);
    expect(checkSecrets([{ path: 'a.yaml', content }])).toHaveLength(1);
    const listed = { ...project('fine'), spec: { namespaceResourceBlacklist: [{ group: '', kind: 'Secret' }] } };
    expect(checkSecrets([{ path: 'a.yaml', content: yamlDocuments([listed, configMap({ a: 'b' })]) }])).toEqual([]);
    expect(
      checkSecrets([{ path: 'a.json', content: '{"kind": "Secret", "data": {"mode": "cGxhaW4="}}' }]),
    ).toHaveLength(1);
  });

  it.each([
    ['the environment', deployment({ env: [{ name: 'MODEL_API_KEY', value: 'hunter' }] }), `${CONTAINER}/env/0/value`],
    [
      'an init container',
      { ...deployment({}), spec: { initContainers: [{ env: [{ name: 'GIT_TOKEN', value: 'hunter' }] }] } },
      '/spec/initContainers/0/env/0/value',
    ],
    ['a step', pipeline({ env: [{ name: 'DB_PASSWORD', value: 'hunter' }] }), `${STEP}/env/0/value`],
    ['a param', pipeline({}, [{ name: 'git-token', default: 'hunter' }]), '/spec/params/0/default'],
    ['a ConfigMap', configMap({ 'db-password': 'hunter' }), '/data/db-password'],
    ['a flag and its value', deployment({ args: ['serve', '--password', 'hunter'] }), `${CONTAINER}/args/2`],
  ])('refuses a plain word behind a telling name in %s', (_place, object, pointer) => {
    const findings = checkSecrets([fileOf(object)]);
    expect(findings).toMatchObject([{ pointer }]);
    expectSilent(findings, 'hunter', pointer);
  });

  it('does not show a secret that stands in a key or a name', () => {
    for (const { shape, text, secret } of PLANTED.filter((planted) => /^[\w.-]+$/.test(planted.text))) {
      const named = { ...configMap({ [text]: 'plain' }), metadata: { name: text } };
      const findings = checkSecrets([fileOf(named)]);
      expect(findings.length, shape).toBeGreaterThan(0);
      expectSilent(findings, secret, shape);
    }
  });
});

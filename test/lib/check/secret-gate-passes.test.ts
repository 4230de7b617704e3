import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageArtifact, placeholderArtifact } from '../../../lib/src/artifacts/artifact.ts';
import { checkSecrets } from '../../../lib/src/check/secret-gate.ts';
import { renderLane } from '../../../lib/src/render/render-lane.ts';
import { BENIGN_VALUES } from '../../helpers/benign-values.ts';
import { contractLane, contractVariant } from '../../helpers/contract-lane.ts';
import { opaqueSecrets } from '../../helpers/planted-secrets.ts';
import { configMap, fileOf, POSITIONS } from '../../helpers/secret-positions.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

describe('the secret gate lets pass', () => {
  const input = { sourceCommit: COMMIT };
  const gate = (lane: ReturnType<typeof contractLane>, artifact = placeholderArtifact(lane, COMMIT)) => {
    const { files, controlPlane } = renderLane(lane, { ...input, artifact });
    return checkSecrets([...files, controlPlane]);
  };

  it('the rendered lane of the contract, and its variant, with a placeholder and with an image', () => {
    for (const lane of [contractLane(), contractVariant()]) {
      const facts = {
        ...input,
        envIdentity: opaqueSecrets(1)[0] ?? '',
        digest: `sha256:${'ab'.repeat(32)}`,
        status: 'built',
      } as const;
      expect(gate(lane)).toEqual([]);
      expect(gate(lane, imageArtifact(lane, facts))).toEqual([]);
    }
  });

  it('every usual value, in every free place', () => {
    for (const { place, free } of Object.values(POSITIONS)) {
      if (!free) continue;
      for (const value of BENIGN_VALUES) expect(checkSecrets([fileOf(place(value))]), value).toEqual([]);
    }
  });

  it('500 generated lanes', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9]{1,7}(-[a-z0-9]{1,7}){0,2}$/);
    const host = fc.tuple(name, name).map(([a, b]) => `${a}.${b}.example.internal`);
    const commit = fc.stringMatching(/^[0-9a-f]{40}$/);
    const env = fc.dictionary(
      fc.stringMatching(/^[A-Z]{2,8}(_[A-Z]{2,8}){0,3}_(MS|DIR|URL|MODE|NAME)$/),
      fc.constantFrom(...BENIGN_VALUES),
      { maxKeys: 6 },
    );
    const minor = fc.nat(999);
    fc.assert(
      fc.property(name, host, commit, env, minor, (word, server, sourceCommit, variables, number) => {
        const lane = contractLane();
        const version = `v0.${number}`;
        const renamed = JSON.parse(
          JSON.stringify(lane)
            .replaceAll('agentrun-v01', `${word}-v0${number}`)
            .replaceAll('example.internal', server)
            .replaceAll('v0.1', version),
        ) as typeof lane;
        const changed = {
          ...renamed,
          deployment: { ...renamed.deployment, manager: { ...renamed.deployment.manager, env: variables } },
        };
        const { files, controlPlane } = renderLane(changed, {
          sourceCommit,
          artifact: placeholderArtifact(changed, sourceCommit),
        });
        expect(checkSecrets([...files, controlPlane])).toEqual([]);
      }),
      { numRuns: 500, seed: 11 },
    );
  });
});

describe('a file made to be slow', () => {
  it.each([
    'a',
    'YWFh',
    'password=',
    'kind: Secret\n',
    '---\n',
    '\n',
    '"kind":',
    'eyJ',
    'password=hunter2\n',
    'a: {b: ',
  ])('of %j is read to its end', (seed) => {
    const text = seed.repeat(Math.ceil(1_000_000 / seed.length));
    checkSecrets([
      { path: 'a.yaml', content: text },
      { path: 'a.json', content: text },
      { ...fileOf(configMap({ note: text })), content: text },
    ]);
  });
});

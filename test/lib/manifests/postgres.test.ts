import { describe, expect, it } from 'vitest';
import { placeholderArtifact } from '../../../lib/src/artifacts/artifact.ts';
import type { Lane } from '../../../lib/src/lane/lane.ts';
import { type LanePath, valueAt } from '../../../lib/src/lane/lane-path.ts';
import { renderLane } from '../../../lib/src/render/render-lane.ts';
import { contractLane, contractVariant } from '../../helpers/contract-lane.ts';
import { objectAt } from '../../helpers/patched-output.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const POSTGRES = 'StatefulSet/agentrun-v01-postgres';
const pod = ['spec', 'template', 'spec'] as const;
const render = (lane: Lane) => renderLane(lane, { sourceCommit: COMMIT, artifact: placeholderArtifact(lane, COMMIT) });

const rendered = render(contractLane());
const at = (title: string, ...path: LanePath): unknown => valueAt(objectAt(rendered, title).value, path);
const variant = render(contractVariant());
const allOfVariant = [variant.controlPlane, ...variant.files].flatMap(({ objects }) => objects);

/** PostgreSQL of the contract's lane with some of its settings changed. */
const postgresWith = (localPostgres: object) =>
  objectAt(render(contractLane({ deployment: { localPostgres } })), POSTGRES).value;

describe('PostgreSQL', () => {
  it('has a client Service with an address, and a headless one that governs the StatefulSet', () => {
    expect(at('Service/agentrun-v01-postgres', 'spec', 'clusterIP')).toBeUndefined();
    expect(at('Service/agentrun-v01-postgres-headless', 'spec')).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
    });
    expect(at(POSTGRES, 'spec', 'serviceName')).toBe('agentrun-v01-postgres-headless');
  });

  it('keeps its volume whatever happens to the StatefulSet', () => {
    expect(at(POSTGRES, 'spec', 'persistentVolumeClaimRetentionPolicy')).toEqual({
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
  });

  it('takes only the password from a Secret', () => {
    expect(at(POSTGRES, ...pod, 'containers', 0, 'env')).toEqual([
      { name: 'POSTGRES_DB', value: 'agentrun' },
      { name: 'POSTGRES_USER', value: 'agentrun' },
      {
        name: 'POSTGRES_PASSWORD',
        valueFrom: { secretKeyRef: { name: 'agentrun-v01-db', key: 'POSTGRES_PASSWORD' } },
      },
      { name: 'PGDATA', value: '/var/lib/postgresql/data/pgdata' },
    ]);
  });

  it.each([
    ['17-alpine', '/var/lib/postgresql/data', '/var/lib/postgresql/data/pgdata'],
    ['17.6', '/var/lib/postgresql/data', '/var/lib/postgresql/data/pgdata'],
    ['18-alpine', '/var/lib/postgresql', '/var/lib/postgresql/18/docker'],
    ['19.1-bookworm', '/var/lib/postgresql', '/var/lib/postgresql/19/docker'],
  ])('of the tag %s has its volume at %s and its data in %s', (tag, mountPath, dataDirectory) => {
    const image = `registry.example.internal:5000/library/postgres:${tag}@sha256:${'ab'.repeat(32)}`;
    const container = valueAt(postgresWith({ image }), [...pod, 'containers', 0]);
    expect(valueAt(container, ['image'])).toBe(image);
    expect(valueAt(container, ['volumeMounts', 0])).toEqual({ name: 'data', mountPath });
    expect(valueAt(container, ['env', 3])).toEqual({ name: 'PGDATA', value: dataDirectory });
  });

  it('names a storage class only when the lane does', () => {
    const claim = ['spec', 'volumeClaimTemplates', 0, 'spec'] as const;
    expect(at(POSTGRES, ...claim)).toEqual({
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '20Gi' } },
    });
    expect(valueAt(postgresWith({ storageClassName: 'ssd' }), [...claim, 'storageClassName'])).toBe('ssd');
  });

  it('that is elsewhere is rendered in no part', () => {
    expect(allOfVariant.filter((object) => /postgres/.test(String(object.metadata?.name)))).toEqual([]);
    expect(allOfVariant.some(({ kind }) => kind === 'StatefulSet')).toBe(false);
  });
});

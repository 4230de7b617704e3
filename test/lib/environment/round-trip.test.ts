import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  managerRows,
  managerSettings,
  managerTailRows,
  readManagerConfig,
} from '../../../lib/src/environment/index.ts';
import type { Lane } from '../../../lib/src/lane/lane.ts';
import { parseLanePath, valueAt } from '../../../lib/src/lane/lane-path.ts';
import { managerEnvironment } from '../../../lib/src/manifests/manager-environment.ts';
import { anyLane } from '../../helpers/any-lane.ts';
import { contractLane, contractVariant } from '../../helpers/contract-lane.ts';

const INPUT = {
  sourceCommit: '0123456789abcdef0123456789abcdef01234567',
  envIdentity: 'env-3f2a9c',
  image: `registry.example.internal:5000/agentrun/agentrun-mgr-env@sha256:${'ab'.repeat(32)}`,
};
const SECRETS = { DATABASE_URL: 'postgres://agentrun@db:5432/agentrun', AGENTRUN_API_KEY: 'k'.repeat(16) };

/** The environment that a container of this lane would have, its Secrets resolved. */
function containerEnvironment(lane: Lane): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { name, value, valueFrom } of managerEnvironment(lane, INPUT)) {
    environment[name] = valueFrom === undefined ? (value ?? '') : (SECRETS[name as keyof typeof SECRETS] ?? 'secret');
  }
  return environment;
}

/** What the table promises for a lane, worked out from the lane itself. */
function expectedConfig(lane: Lane): Record<string, unknown> {
  const expected: Record<string, unknown> = {};
  for (const { name, source, encoding, condition, configKey } of [...managerRows, ...managerTailRows]) {
    const value =
      'lane' in source
        ? valueAt(lane, parseLanePath(source.lane))
        : 'input' in source
          ? INPUT[source.input]
          : source.constant;
    const empty = condition === 'not-empty' && Array.isArray(value) && value.length === 0;
    expected[configKey] = encoding === 'secret' ? SECRETS[name as keyof typeof SECRETS] : empty ? null : value;
  }
  for (const { name, configKey, fallback } of managerSettings) {
    const given = lane.deployment.manager.env[name];
    expected[configKey] = given === undefined ? fallback : typeof fallback === 'number' ? Number(given) : given;
  }
  return expected;
}

describe('the environment of the manager', () => {
  it.each([
    ['the example lane', contractLane()],
    ['its variant', contractVariant()],
  ])('read back from %s gives the lane again', (_name, lane) => {
    expect(readManagerConfig(containerEnvironment(lane))).toEqual(expectedConfig(lane));
  });

  it('read back from any lane gives the lane again', () => {
    fc.assert(
      fc.property(anyLane(), (lane) => {
        expect(readManagerConfig(containerEnvironment(lane))).toEqual(expectedConfig(lane));
      }),
      { numRuns: 500, seed: 41 },
    );
  });

  it('has the order of the contract: table, own variables sorted, ssh variable, tail, secret variables sorted', () => {
    const lane = contractLane({
      deployment: {
        manager: {
          env: { ...contractLane().deployment.manager.env, ZED: '1', FOO_BAR: '2', FOOBAR: '3', FOO1: '4' },
          unideskSshEndpointEnv: { name: 'A_SSH', value: 'x' },
          secretEnv: { Z_TOKEN: { name: 's', key: 'k' }, B_TOKEN: { name: 's', key: 'k' } },
        },
      },
    });
    const names = managerEnvironment(lane, INPUT).map(({ name }) => name);
    const own = [
      'AGENTRUN_AIPOD_SPEC_DIR',
      'AGENTRUN_SESSION_GC_INTERVAL_MS',
      'FOO1',
      'FOOBAR',
      'FOO_BAR',
      'ZED',
      'A_SSH',
    ];
    const head = managerRows.map(({ name }) => name).filter((name) => name !== 'AGENTRUN_RUNNER_EGRESS_PROXY_URL');
    const tail = managerTailRows.map(({ name }) => name).filter((name) => name !== 'AGENTRUN_RUNNER_RUNTIME_CLASS');
    expect(names).toEqual([...head, ...own, ...tail, 'B_TOKEN', 'Z_TOKEN']);
  });

  it('writes match labels by code unit, whatever their order in the lane', () => {
    const { matchLabels } = contractLane().deployment.runner.retention.selectors;
    const reversed = Object.fromEntries(Object.entries(matchLabels).reverse());
    const lane = contractLane();
    lane.deployment.runner.retention.selectors.matchLabels = reversed;
    expect(managerEnvironment(lane, INPUT)).toEqual(managerEnvironment(contractLane(), INPUT));
  });
});

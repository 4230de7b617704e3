import { describe, expect, it } from 'vitest';
import { managerRows, managerTailRows, readManagerConfig } from '../../../lib/src/environment/index.ts';
import { AgentRunError } from '../../../lib/src/errors.ts';
import { managerEnvironment } from '../../../lib/src/manifests/manager-environment.ts';
import { contractLane } from '../../helpers/contract-lane.ts';

const GOOD: Record<string, string> = {};
for (const { name, value } of managerEnvironment(contractLane(), {
  sourceCommit: 'a'.repeat(40),
  envIdentity: 'env-1',
  image: `r.example/a@sha256:${'0'.repeat(64)}`,
})) {
  GOOD[name] = value ?? (name === 'DATABASE_URL' ? 'postgres://u@h/d' : 'k');
}

function problemsOf(environment: Record<string, string | undefined>) {
  try {
    readManagerConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof AgentRunError)) throw error;
    return error.problems.map(({ code, message, hint }) => ({ code, message, hint }));
  }
}

describe('reading the environment of the manager', () => {
  it('takes the rendered one', () => {
    expect(problemsOf(GOOD)).toEqual([]);
  });

  it('lists everything that is missing, with the lane field that gives it', () => {
    const needed = [...managerRows, ...managerTailRows].filter(({ condition }) => condition === 'always');
    const problems = problemsOf({});
    expect(problems.map(({ message }) => message)).toEqual(needed.map(({ name }) => `${name} is not set`));
    expect(problems).toContainEqual({
      code: 'environment-missing',
      message: 'AGENTRUN_RUNNER_IDLE_TIMEOUT_MS is not set',
      hint: 'the lane field deployment.runner.idleTimeoutMs gives it',
    });
  });

  it.each([
    ['AGENTRUN_RUNNER_IDLE_TIMEOUT_MS', '0'],
    ['AGENTRUN_RUNNER_IDLE_TIMEOUT_MS', '1e3'],
    ['AGENTRUN_RUNNER_IDLE_TIMEOUT_MS', ' 5'],
    ['AGENTRUN_RUNNER_IDLE_TIMEOUT_MS', '9007199254740993'],
    ['AGENTRUN_SOURCE_COMMIT', 'main'],
    ['AGENTRUN_SOURCE_COMMIT', 'A'.repeat(40)],
    ['AGENTRUN_BOOT_MODE', 'runner'],
    ['AGENTRUN_INTERNAL_MGR_URL', 'agentrun-mgr:8080'],
    ['DATABASE_URL', 'mysql://u:hunter2@h/d'],
    ['AGENTRUN_RUNNER_RETENTION_MATCH_LABELS_JSON', '{"a":1}'],
    ['AGENTRUN_RUNNER_RETENTION_MATCH_LABELS_JSON', '[]'],
    ['AGENTRUN_RUNNER_RETENTION_MATCH_LABELS_JSON', '{}'],
    ['AGENTRUN_RUNNER_RETENTION_MATCH_LABELS_JSON', '{'],
    ['AGENTRUN_RUNNER_RETENTION_JOB_NAME_PREFIXES', ' , '],
    ['AGENTRUN_RUNNER_RETENTION_AGE_BASED_CLEANUP_ENABLED', 'yes'],
    ['AGENTRUN_CANCEL_DELIVERY_MODE', 'pull'],
    ['AGENTRUN_CANCEL_EVENT_STAGES', 'requested,nothing'],
    ['AGENTRUN_LISTEN_PORT', '70000'],
    ['AGENTRUN_API_KEY', ' '],
    ['AGENTRUN_SESSION_GC_INTERVAL_MS', 'soon'],
    ['AGENTRUN_QUEUE_MAX_ACTIVE', '-1'],
  ])('refuses %s=%j, and does not repeat the value', (name, value) => {
    const problems = problemsOf({ ...GOOD, [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.code).toBe('environment-invalid');
    expect(problems[0]?.message).toMatch(new RegExp(`^${name} must `));
    if (value.trim().length > 4) expect(problems[0]?.message).not.toContain(value);
  });

  it('reports all faults at once', () => {
    expect(
      problemsOf({ ...GOOD, AGENTRUN_LISTEN_PORT: 'x', AGENTRUN_LANE: undefined, AGENTRUN_QUEUE_MAX_ACTIVE: 'x' }),
    ).toHaveLength(3);
  });
});

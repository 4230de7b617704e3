import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner, RUN_INPUT, type ScriptedRunner } from '../../helpers/manager-client.ts';
import { lightClient } from './light-client.ts';

const AT_ONCE = 50;

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager({ config: { staleHeartbeatFencingMs: 3_600_000 }, withoutDuties: true });
});
afterAll(() => manager.stop());

/** The same request so many times at the same moment. */
async function atOnce<T>(method: string, path: string, body: object, headers: Record<string, string> = {}) {
  const client = lightClient(manager.url, manager.key, AT_ONCE);
  return await Promise.all(Array.from({ length: AT_ONCE }, () => client.request<T>(method, path, body, headers)));
}

const count = async (table: string, where: string, ...values: string[]): Promise<number> => {
  const { rows } = await manager.running.serving.pool.query<{ count: number }>(
    `SELECT count(*) FROM ${table} WHERE ${where}`,
    values,
  );
  return rows[0]?.count ?? -1;
};

async function underWay(): Promise<{ runId: string; turnId: string; runner: ScriptedRunner }> {
  const { id: runId } = await manager.createRun();
  const { id: turnId } = await manager.turn(runId);
  const runner = await externalRunner(manager, runId);
  await runner.claim();
  await runner.ack(turnId);
  return { runId, turnId, runner };
}

const asRunner = (runner: ScriptedRunner) => ({
  authorization: `Bearer ${runner.token}`,
  'runner-epoch': String(runner.epoch),
});

function areOne(answers: readonly { status: number; data: unknown }[]): void {
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  for (const { data } of answers) expect(data).toEqual(answers[0]?.data);
}

describe(`${AT_ONCE} identical requests at once have one effect and one answer`, () => {
  it('that makes a run', async () => {
    const body = { ...RUN_INPUT, metadata: { mark: 'one-run' }, sessionRef: { sessionId: 'sess_race_run' } };
    areOne(await atOnce('POST', 'runs', body, { 'idempotency-key': 'race-run' }));
    expect(await count('agentrun_runs', `metadata ->> 'mark' = $1`, 'one-run')).toBe(1);
  });

  it('that makes a command', async () => {
    const { id } = await manager.createRun();
    const body = { type: 'turn', payload: { prompt: 'once' }, idempotencyKey: 'race-command' };
    areOne(await atOnce('POST', `runs/${id}/commands`, body));
    expect(await count('agentrun_commands', 'run_id = $1', id)).toBe(1);
  });

  it('that sends a text to a session which is not there yet', async () => {
    const body = { prompt: 'once', run: RUN_INPUT, commandIdempotencyKey: 'race-send' };
    areOne(await atOnce('POST', 'sessions/sess_race_send/send', body));
    expect(await count('agentrun_runs', 'session_id = $1', 'sess_race_send')).toBe(1);
    expect(
      await count(
        'agentrun_runner_jobs',
        `run_id IN (SELECT id FROM agentrun_runs WHERE session_id = $1)`,
        'sess_race_send',
      ),
    ).toBe(1);
  });

  it('that makes a session', async () => {
    const body = { sessionId: 'sess_race_session', tenantId: 'tenant', projectId: 'project' };
    const answers = await atOnce('POST', 'sessions', body, { 'idempotency-key': 'race-session' });
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await count('agentrun_sessions', 'session_id = $1', 'sess_race_session')).toBe(1);
  });

  it('that asks for a runner', async () => {
    const { id } = await manager.createRun();
    const { id: commandId } = await manager.turn(id);
    areOne(await atOnce('POST', `runs/${id}/runner-jobs`, { commandId }, { 'idempotency-key': 'race-job' }));
    expect(await count('agentrun_runner_jobs', 'run_id = $1', id)).toBe(1);
    expect(await count('agentrun_outbox', `kind = 'start-attempt' AND run_id = $1`, id)).toBe(1);
  });

  it('that takes up a command', async () => {
    const { id: runId } = await manager.createRun();
    const { id: turnId } = await manager.turn(runId);
    const runner = await externalRunner(manager, runId);
    await runner.claim();
    areOne(await atOnce('POST', `commands/${turnId}/ack`, {}, asRunner(runner)));
    expect(await count('agentrun_events', `run_id = $1 AND payload ->> 'phase' = 'command-acknowledged'`, runId)).toBe(
      1,
    );
  });

  it('that appends numbered events', async () => {
    const { runId, runner } = await underWay();
    const events = [1, 2, 3].map((n) => ({ type: 'assistant_message', payload: { text: `${n}` } }));
    const answers = await atOnce<{ count: number; duplicate?: true }>(
      'POST',
      `runs/${runId}/events`,
      { events },
      { ...asRunner(runner), 'producer-seq': '1' },
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.filter(({ data }) => data.duplicate !== true)).toHaveLength(1);
    expect(await count('agentrun_events', 'run_id = $1 AND epoch IS NOT NULL', runId)).toBe(3);
  });

  it('that ends a command', async () => {
    const { runId, turnId, runner } = await underWay();
    areOne(await atOnce('PATCH', `commands/${turnId}/status`, { terminalStatus: 'completed' }, asRunner(runner)));
    expect(await count('agentrun_events', `run_id = $1 AND payload ->> 'phase' = 'command-terminal'`, runId)).toBe(1);
  });

  it.each([
    ['ends a run', 'PATCH', 'status', { terminalStatus: 'failed' }],
    ['gives a run back', 'POST', 'release', { reason: 'drain' }],
    ['asks for the end of a run', 'POST', 'cancel', { reason: 'enough' }],
  ])('that %s', async (_what, method, path, body) => {
    const { runId, runner } = await underWay();
    const headers = path === 'cancel' ? {} : asRunner(runner);
    const answers = await atOnce<{ status: string }>(method, `runs/${runId}/${path}`, body, headers);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ data }) => data.status)).size).toBe(1);
    const phases = await manager.phases(runId);
    const ends = ['run-released', 'cancel-requested', 'command-terminal'].map(
      (phase) => phases.filter((each) => each === phase).length,
    );
    expect(Math.max(...ends)).toBe(1);
  });
});

describe('many different texts to one session at once', () => {
  it('all become turns of one run, also when the session was not there before', async () => {
    const client = lightClient(manager.url, manager.key, AT_ONCE);
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, n) =>
        client.request<{ run: { id: string } }>('POST', 'sessions/sess_race_many/send', {
          prompt: `text ${n}`,
          run: RUN_INPUT,
        }),
      ),
    );
    expect(answers.map(({ status, message }) => message ?? status)).toEqual(answers.map(() => 200));
    const runs = new Set(answers.map(({ data }) => data.run.id));
    expect(runs.size).toBe(1);
    expect(await count('agentrun_commands', 'run_id = $1', [...runs][0] ?? '')).toBe(AT_ONCE);
    expect(await count('agentrun_runner_jobs', 'run_id = $1', [...runs][0] ?? '')).toBe(1);
  });

  it('leaves nothing that the doctor finds', async () => {
    const { violations } = await manager.ask<{ violations: { rule: string }[] }>('GET', 'doctor');
    // Nobody keeps promises here.
    expect(violations.filter(({ rule }) => rule !== 'promises-are-kept')).toEqual([]);
  });
});

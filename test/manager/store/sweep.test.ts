import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteOldAnswers, deleteOldRuns } from '../../../manager/src/store/sweep.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { RUN_INPUT } from '../../helpers/manager-client.ts';
import { newSessionId, ofSession, underWay } from '../services/scenes.ts';

const DAY_MS = 86_400_000;

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager({ withoutDuties: true });
});
afterAll(() => manager.stop());

async function endedRun(sessionId: string): Promise<string> {
  const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
  await runner.report(turn.id);
  await runner.release();
  return runId;
}

describe('what is old', () => {
  it('of the runs goes with all that belongs to it, but nothing that is open or young, and as many as are asked for', async () => {
    const { pool } = manager.running.serving;
    const sessionId = newSessionId();
    const [old, other] = [await endedRun(sessionId), await endedRun(sessionId)];
    const young = await endedRun(newSessionId());
    const { runId: open } = await underWay(manager);
    await pool.query(
      `UPDATE agentrun_runs SET created_at = now() - interval '40 days', ended_at = ended_at - interval '31 days' WHERE id = ANY ($1)`,
      [[old, other]],
    );
    await pool.query(`UPDATE agentrun_runs SET created_at = now() - interval '40 days' WHERE id = $1`, [open]);
    expect(await deleteOldRuns(pool, 30 * DAY_MS, 1)).toBe(1);
    expect(await deleteOldRuns(pool, 30 * DAY_MS, 100)).toBe(1);
    expect(await deleteOldRuns(pool, 30 * DAY_MS, 100)).toBe(0);
    for (const id of [old, other]) expect((await manager.request('GET', `runs/${id}`)).status).toBe(404);
    for (const id of [young, open]) expect((await manager.request('GET', `runs/${id}`)).status).toBe(200);
    const { rows } = await pool.query(
      `SELECT (SELECT count(*) FROM agentrun_events WHERE run_id = $1) + (SELECT count(*) FROM agentrun_commands WHERE run_id = $1)
         + (SELECT count(*) FROM agentrun_attempts WHERE run_id = $1) + (SELECT count(*) FROM agentrun_runners WHERE run_id = $1) AS left`,
      [old],
    );
    expect(rows).toEqual([{ left: 0 }]);
  });

  it('of the runs is not missed by its session, which goes on', async () => {
    const sessionId = newSessionId();
    const runId = await endedRun(sessionId);
    const { pool } = manager.running.serving;
    await pool.query(`UPDATE agentrun_runs SET ended_at = ended_at - interval '31 days' WHERE id = $1`, [runId]);
    await deleteOldRuns(pool, 30 * DAY_MS, 100);
    const session = await manager.ask('GET', `sessions/${sessionId}`);
    expect(session).toMatchObject({ lastRunId: runId, lastEventSeq: 0, terminalStatus: 'completed', active: false });
    expect(session).not.toHaveProperty('liveness');
    for (const log of ['trace', 'output']) {
      expect(await manager.ask('GET', `sessions/${sessionId}/${log}`)).toEqual({
        sessionId,
        runId: null,
        items: [],
        count: 0,
        cursor: null,
      });
    }
    const sent = await manager.ask('POST', `sessions/${sessionId}/send`, { prompt: 'go on', createRunnerJob: false });
    expect(sent).toMatchObject({ decision: 'turn', reusedActiveRun: false });
    expect(await manager.ask('GET', 'doctor')).toMatchObject({ violations: [] });
  });

  it('of the answers is forgotten after seven days: the key is free again', async () => {
    const { pool } = manager.running.serving;
    const key = { 'idempotency-key': 'from last week' };
    const first = await manager.ask('POST', 'runs', RUN_INPUT, key);
    await pool.query(`UPDATE agentrun_idempotency SET created_at = now() - interval '6 days'`);
    expect(await deleteOldAnswers(pool, 7 * DAY_MS, 1000)).toBe(0);
    expect(await manager.ask('POST', 'runs', RUN_INPUT, key)).toEqual(first);
    await pool.query(`UPDATE agentrun_idempotency SET created_at = now() - interval '8 days'`);
    expect(await deleteOldAnswers(pool, 7 * DAY_MS, 1000)).toBe(1);
    expect((await manager.ask('POST', 'runs', RUN_INPUT, key))['id']).not.toBe(first['id']);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { newSessionId, ofSession, underWay } from '../services/scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager({ withoutDuties: true });
});
afterAll(() => manager.stop());

/** What the database says to a statement: its code, or nothing when it obeyed. */
async function refusal(sql: string, values: unknown[] = []): Promise<string | undefined> {
  const client = await manager.running.serving.pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(sql, values);
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}
const CHECK = '23514';
const UNIQUE = '23505';
const FOREIGN = '23503';

describe('the database itself', () => {
  it('takes no second open run of a session, and any number that have ended', async () => {
    const sessionId = newSessionId();
    const { id } = await manager.createRun(ofSession(sessionId));
    const copy = `INSERT INTO agentrun_runs (id, tenant_id, project_id, provider_id, backend_profile, workspace_ref, execution_policy, session_id, look_at, status, terminal_status, ended_at)
      SELECT $2, tenant_id, project_id, provider_id, backend_profile, workspace_ref, execution_policy, session_id, look_at, $3, $4, $5 FROM agentrun_runs WHERE id = $1`;
    expect(await refusal(copy, [id, 'run_second', 'pending', null, null])).toBe(UNIQUE);
    expect(await refusal(copy, [id, 'run_second', 'failed', 'failed', new Date()])).toBeUndefined();
  });

  it('takes no second acknowledged turn of a run, and one beside acknowledged steers', async () => {
    const { runId, turn, runner } = await underWay(manager);
    const steer = await manager.steer(runId);
    await runner.ack(steer.id);
    const next = await manager.turn(runId);
    const set = `UPDATE agentrun_commands SET state = 'acknowledged', acknowledged_at = now(), attempt_id = 'a' WHERE id = $1`;
    expect(await refusal(set, [next.id])).toBe(UNIQUE);
    expect((await manager.command(runId, turn.id)).state).toBe('acknowledged');
  });

  it.each([
    ['a state that there is not', `UPDATE agentrun_runs SET status = 'paused' WHERE id = $1`],
    ['an end without a status', `UPDATE agentrun_runs SET ended_at = now() WHERE id = $1`],
    ['a status that ends without an outcome', `UPDATE agentrun_runs SET status = 'completed' WHERE id = $1`],
    [
      'an outcome that differs from the status',
      `UPDATE agentrun_runs SET status = 'failed', terminal_status = 'completed', ended_at = now(), claimed_by = NULL, lease_expires_at = NULL WHERE id = $1`,
    ],
    ['a lease without a holder', `UPDATE agentrun_runs SET claimed_by = NULL WHERE id = $1`],
    ['a holder without a lease', `UPDATE agentrun_runs SET lease_expires_at = NULL WHERE id = $1`],
    [
      'a lease of a run that has ended',
      `UPDATE agentrun_runs SET status = 'failed', terminal_status = 'failed', ended_at = now() WHERE id = $1`,
    ],
    [
      'an open run that nobody looks at',
      `UPDATE agentrun_runs SET status = 'pending', claimed_by = NULL, lease_expires_at = NULL, look_at = NULL WHERE id = $1`,
    ],
    ['a cancel that nobody asked for', `UPDATE agentrun_runs SET status = 'cancelling' WHERE id = $1`],
  ])('takes no run with %s', async (_what, sql) => {
    const { runId } = await underWay(manager);
    expect(await refusal(sql, [runId])).toBe(CHECK);
  });

  it.each([
    ['a type that there is not', `UPDATE agentrun_commands SET type = 'interrupt' WHERE id = $1`],
    ['a state that there is not', `UPDATE agentrun_commands SET state = 'blocked' WHERE id = $1`],
    ['an end without an outcome', `UPDATE agentrun_commands SET state = 'completed' WHERE id = $1`],
    [
      'an outcome without an end',
      `UPDATE agentrun_commands SET state = 'failed', terminal_status = 'failed' WHERE id = $1`,
    ],
    ['no attempt that took it up', `UPDATE agentrun_commands SET attempt_id = NULL WHERE id = $1`],
    ['a turn that steers', `UPDATE agentrun_commands SET target_command_id = id WHERE id = $1`],
    ['the number 0', `UPDATE agentrun_commands SET seq = 0 WHERE id = $1`],
  ])('takes no command with %s', async (_what, sql) => {
    const { turn } = await underWay(manager);
    expect(await refusal(sql, [turn.id])).toBe(CHECK);
  });

  it('takes no number twice, and none of a run that there is not', async () => {
    const { runId } = await underWay(manager);
    const event = 'INSERT INTO agentrun_events (run_id, seq, type, payload) VALUES ($1, $2, $3, $4)';
    expect(await refusal(event, [runId, 1, 'usage', {}])).toBe(UNIQUE);
    expect(await refusal(event, [runId, 0, 'usage', {}])).toBe(CHECK);
    expect(await refusal(event, [runId, 900, 'thought', {}])).toBe(CHECK);
    const command =
      'INSERT INTO agentrun_commands (id, run_id, seq, type, payload, payload_hash) VALUES ($1, $2, $3, $4, $5, $6)';
    expect(await refusal(command, ['cmd_x', runId, 1, 'turn', {}, 'h'])).toBe(UNIQUE);
    expect(await refusal(command, ['cmd_x', 'run_none', 1, 'turn', {}, 'h'])).toBe(FOREIGN);
  });

  it.each([
    [
      'a volume given up that still runs',
      `UPDATE agentrun_sessions SET storage_kind = 'evicted' WHERE session_id = $1`,
    ],
    [
      'a terminal state with a volume',
      `UPDATE agentrun_sessions SET execution_state = 'terminal' WHERE session_id = $1`,
    ],
    ['an active command without a run', `UPDATE agentrun_sessions SET active_command_id = 'c' WHERE session_id = $1`],
    ['a state that there is not', `UPDATE agentrun_sessions SET execution_state = 'busy' WHERE session_id = $1`],
    ['a kind of storage that there is not', `UPDATE agentrun_sessions SET storage_kind = 'nfs' WHERE session_id = $1`],
  ])('takes no session with %s', async (_what, sql) => {
    const sessionId = newSessionId();
    await manager.ask('POST', 'sessions', { sessionId, tenantId: 'tenant', projectId: 'project' });
    expect(await refusal(sql, [sessionId])).toBe(CHECK);
  });

  it('keeps the lease in one place: the table of leases is a view of the runs', async () => {
    const { runId, runner } = await underWay(manager);
    const { rows } = await manager.running.serving.pool.query('SELECT * FROM agentrun_leases WHERE run_id = $1', [
      runId,
    ]);
    expect(rows).toMatchObject([{ runner_id: runner.runnerId, attempt_id: runner.attemptId, lease_epoch: 1 }]);
    await runner.finish('failed');
    const after = await manager.running.serving.pool.query('SELECT * FROM agentrun_leases WHERE run_id = $1', [runId]);
    expect(after.rows).toEqual([]);
  });

  it('holds no JSON null where there is nothing', async () => {
    const { id } = await manager.createRun({ resourceBundleRef: null, traceSink: null, sessionRef: null });
    const { rows } = await manager.running.serving.pool.query(
      'SELECT num_nulls(resource_bundle_ref, trace_sink, session_ref, session_id, diagnosis) AS nulls FROM agentrun_runs WHERE id = $1',
      [id],
    );
    expect(rows).toEqual([{ nulls: 5 }]);
  });
});

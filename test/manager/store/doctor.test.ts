import type { Diagnosis } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RULE_NAMES } from '../../../manager/src/store/doctor.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { newSessionId, ofSession, underWay } from '../services/scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager({ withoutDuties: true });
});
afterAll(() => manager.stop());

const examine = () => manager.ask<Diagnosis>('GET', 'doctor');

/** Faults as the database permits them, by the rule that must find each; `$1` is the run, `$2` its session. */
const FAULTS: Readonly<Record<string, string>> = {
  'open-run-is-watched': `UPDATE agentrun_runs SET lease_expires_at = now() - interval '1 hour' WHERE id = $1`,
  'running-has-a-turn': `UPDATE agentrun_runs SET status = 'claimed' WHERE id = $1`,
  'ended-run-has-no-open-command': `UPDATE agentrun_runs SET status = 'failed', terminal_status = 'failed', ended_at = now(), claimed_by = NULL, lease_expires_at = NULL WHERE id = $1`,
  'events-have-no-hole': 'DELETE FROM agentrun_events WHERE run_id = $1 AND seq = 2',
  'ended-run-tells-its-end-last': `UPDATE agentrun_runs SET status = 'failed', terminal_status = 'failed', ended_at = now(), claimed_by = NULL, lease_expires_at = NULL WHERE id = $1`,
  'commands-have-no-hole': 'UPDATE agentrun_runs SET last_command_seq = 9 WHERE id = $1',
  'session-points-at-its-open-run':
    'UPDATE agentrun_sessions SET active_run_id = NULL, active_command_id = NULL WHERE session_id = $2',
  'running-session-has-a-turn': `UPDATE agentrun_commands SET state = 'failed', terminal_status = 'failed', ended_at = now() WHERE run_id = $1`,
  'cancel-comes-to-an-end': `UPDATE agentrun_runs SET status = 'cancelling', cancel_requested_at = now() - interval '1 day' WHERE id = $1`,
  'attempt-ends-with-its-run': `UPDATE agentrun_runs SET status = 'failed', terminal_status = 'failed', ended_at = now(), claimed_by = NULL, lease_expires_at = NULL WHERE id = $1`,
  'promises-are-kept': `INSERT INTO agentrun_outbox (kind, run_id, attempt_id, due_at) SELECT 'fence-attempt', $1, attempt_id, now() - interval '1 day' FROM agentrun_runs WHERE id = $1`,
};

describe('the doctor', () => {
  it('has a fault to find for each of its rules', () => {
    expect(Object.keys(FAULTS).toSorted()).toEqual(RULE_NAMES.toSorted());
  });

  it.each(Object.entries(FAULTS))('finds by %s what breaks that, and nothing before and after', async (rule, sql) => {
    const sessionId = newSessionId();
    const { runId } = await underWay(manager, ofSession(sessionId));
    expect(await examine()).toMatchObject({ ok: true, violations: [], count: 0, rules: RULE_NAMES });
    const { pool } = manager.running.serving;
    await pool.query(`WITH given AS (SELECT $1::text, $2::text) ${sql}`, [runId, sessionId]);
    const found = await examine();
    expect(found.ok).toBe(false);
    expect(found.count).toBe(found.violations.length);
    const of = found.violations.find((violation) => violation.rule === rule);
    expect(of).toMatchObject({ sessionId });
    expect(of?.message).not.toBe('');
    // What is broken here must not be found in the next test.
    await pool.query('DELETE FROM agentrun_runs WHERE id = $1', [runId]);
    await pool.query('DELETE FROM agentrun_sessions WHERE session_id = $1', [sessionId]);
  });
});

import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner } from '../../helpers/manager-client.ts';

let manager: TestManager;
let client: Client;
beforeAll(async () => {
  manager = await testManager({ config: { staleHeartbeatFencingMs: 3_600_000 }, withoutDuties: true });
  client = new Client({ connectionString: manager.database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await manager.stop();
});

/** Whoever wants to change the run waits, one after the other, until all have come. */
async function inOrder(runId: string, requests: readonly (() => Promise<unknown>)[]): Promise<void> {
  const waiting = async () => {
    const { rows } = await manager.running.serving.pool.query<{ waiting: number }>(
      `SELECT count(*) AS waiting FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return rows[0]?.waiting;
  };
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM agentrun_runs WHERE id = $1 FOR UPDATE', [runId]);
  const answers: Promise<unknown>[] = [];
  for (const [index, request] of requests.entries()) {
    answers.push(request());
    await expect.poll(waiting, { timeout: 10_000 }).toBe(index + 1);
  }
  await client.query('COMMIT');
  await Promise.all(answers);
}

it('a poll that learns of a cancel while the run ends writes nothing after the end', async () => {
  const { id: runId } = await manager.createRun();
  const turn = await manager.turn(runId);
  const runner = await externalRunner(manager, runId);
  await runner.claim();
  await runner.ack(turn.id);
  await manager.ask('POST', `commands/${turn.id}/cancel`, {});
  await inOrder(runId, [() => runner.finish('failed'), () => runner.next()]);
  expect((await manager.events(runId)).at(-1)?.type).toBe('terminal_status');
  expect(await manager.ask('GET', 'doctor')).toMatchObject({ violations: [] });
});

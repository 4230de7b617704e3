import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../manager/src/config/free-port.ts';
import { RUN_INPUT } from '../../helpers/manager-client.ts';
import { type BundledManagers, bundleManagers } from '../../helpers/manager-process-bundle.ts';
import { type MainProcess, startMain } from '../../helpers/manager-process-main.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { REPOSITORY } from '../../helpers/repository-root.ts';
import { LONG, random, seed } from '../concurrency/long.ts';

const KILLS = LONG ? 200 : 20;
/** The lock that whoever does the duties holds. */
const DUTY_LOCK = 4_201_703;

let bundled: BundledManagers;
let database: TestDatabase;
let folder: string;
let client: Client;
let marks: string;
beforeAll(async () => {
  [bundled, database] = await Promise.all([bundleManagers(), testDatabase()]);
  folder = await mkdtemp(join(tmpdir(), 'agentrun-two-managers-'));
  marks = join(folder, 'marks');
  await writeFile(marks, '');
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
  await bundled.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Managers by the names that their connections carry. */
async function start(name: string, port: number): Promise<MainProcess> {
  await mkdir(join(folder, name), { recursive: true });
  return await startMain({
    program: bundled.main,
    folder: join(folder, name),
    databaseUrl: `${database.url}?application_name=${name}`,
    port,
    runner: [process.execPath, join(REPOSITORY, 'test/fixtures/manager/marker-runner.mjs'), marks],
  });
}

/** Who does the duties, by the connection that holds their lock. */
async function onDuty(): Promise<{ name: string; pid: number } | undefined> {
  const { rows } = await client.query<{ name: string; pid: number }>(
    `SELECT a.application_name AS name, a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.objid = $1 AND l.granted AND a.datname = current_database()`,
    [DUTY_LOCK],
  );
  return rows[0];
}

async function until<T>(ask: () => Promise<T | undefined | false>, what: string): Promise<T> {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(20)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
  }
  throw new Error(`waited in vain: ${what}`);
}

describe('two managers on one database', () => {
  it(
    `hand the duties over when the one that has them is killed, ${KILLS} times, and no turn runs twice`,
    async () => {
      const pick = random();
      console.log(`two managers: ${KILLS} kills, seed ${seed}`);
      const ports = new Map([
        ['one', (await freePort('127.0.0.1', 0)) ?? 0],
        ['two', (await freePort('127.0.0.1', 0)) ?? 0],
      ]);
      const managers = new Map<string, MainProcess>();
      for (const [name, port] of ports) managers.set(name, await start(name, port));
      const handovers: number[] = [];
      const work = async (manager: MainProcess) => {
        const { id: runId } = await manager.createRun(RUN_INPUT);
        const { id: turnId } = await manager.turn(runId);
        await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turnId });
      };
      try {
        for (let kill = 0; kill < KILLS; kill += 1) {
          const { name, pid } = await until(onDuty, 'somebody to take up the duties');
          const leader = managers.get(name);
          const other = [...managers].find(([each]) => each !== name)?.[1];
          if (leader === undefined || other === undefined) throw new Error(`nobody is called ${name}`);
          // Asked for at either one; the kill comes at some point of the start of a runner, or after it.
          await work(pick(2) === 0 ? leader : other);
          await sleep(pick(60));
          const begun = performance.now();
          await leader.kill();
          const again = start(name, ports.get(name) ?? 0);
          await until(async () => ((await onDuty())?.pid ?? pid) !== pid, 'the duties to be taken up');
          handovers.push(performance.now() - begun);
          managers.set(name, await again);
        }
        const ended = async () => {
          const { rows } = await client.query<{ left: string }>(
            `SELECT count(*) AS left FROM agentrun_runs WHERE terminal_status IS NULL`,
          );
          return rows[0]?.left === '0';
        };
        await until(ended, 'every run to end').catch(async (error: unknown) => {
          const { rows } =
            await client.query(`SELECT id, status, attempt_id, lease_expires_at, look_at FROM agentrun_runs
          WHERE terminal_status IS NULL`);
          throw new Error(`${String(error)}: ${JSON.stringify(rows)}\n${await readFile(marks, 'utf8')}`);
        });
      } finally {
        for (const manager of managers.values()) await manager.kill();
      }
      handovers.sort((a, b) => a - b);
      const ms = (value: number | undefined) => `${Math.round(value ?? 0)} ms`;
      console.log(
        `duties handed over after ${ms(handovers[KILLS / 2])} in the middle, ${ms(handovers.at(-1))} at most`,
      );

      const lines = (await readFile(marks, 'utf8')).trim().split('\n');
      const turns = lines.filter((line) => line.startsWith('turn ')).map((line) => line.split(' ')[1] ?? '');
      expect(new Set(turns).size).toBe(turns.length);
      // Managers of one machine end what is left of each other's runners: such a turn has an unknown outcome, or was not
      // begun and goes to another attempt. Every other one has run.
      const { rows } = await client.query<{
        turn: string;
        failure_kind: string | null;
        lost: number;
        attempts: number;
      }>(
        `SELECT c.id AS turn, c.failure_kind, r.lost_attempts AS lost, r.attempt_count AS attempts
       FROM agentrun_commands c JOIN agentrun_runs r ON r.id = c.run_id`,
      );
      expect(rows).toHaveLength(KILLS);
      for (const { turn, failure_kind: kind, lost, attempts } of rows) {
        expect(attempts).toBeLessThanOrEqual(lost + 1);
        if (kind !== null) expect({ kind, lost }).toEqual({ kind: 'outcome-unknown', lost: expect.any(Number) });
        if (kind === null) expect(turns).toContain(turn);
      }
      console.log(
        `${rows.filter(({ lost, failure_kind: kind }) => lost > 0 || kind !== null).length} runners were lost`,
      );
      const promised = await client.query(`SELECT 1 FROM agentrun_outbox WHERE kind = 'start-attempt'`);
      expect(promised.rowCount).toBe(0);
      console.log(lines.filter((line) => line.startsWith('refused ')).length, 'runners were refused');
    },
    KILLS * 10_000 + 60_000,
  );
});

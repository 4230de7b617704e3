import { join } from 'node:path';
import { type BundledManagers, bundleManagers } from '../../helpers/manager-process-bundle.ts';
import { type ScriptedProcess, startScripted } from '../../helpers/manager-process-scripted.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { REPOSITORY } from '../../helpers/repository-root.ts';
import { LONG } from '../concurrency/long.ts';

const KILL = join(REPOSITORY, 'test/fixtures/manager/kill-at-statement.mjs');
/** Attempts that nobody starts here wait for as long as the test takes. */
export const TIMES = { claimMs: 3_600_000, graceMs: 0, tickMs: 50, leaveMs: 50 };
/** Nothing runs out by itself. */
export const CONFIG = {
  staleHeartbeatFencingMs: 3_600_000,
  cancelGracefulAbortMs: 3_600_000,
  cancelKillEscalationMs: 3_600_000,
};

/** When a manager is to be killed: after so many statements, counted from now or from the next BEGIN on. */
export interface Arm {
  readonly arm: number;
  readonly moment?: 'done' | 'sent';
  readonly begin?: boolean;
}

/** Managers that are to be killed, on one database. */
export interface Victims {
  readonly database: TestDatabase;
  /** The next one; others are started meanwhile. */
  next(): Promise<ScriptedProcess>;
  remove(): Promise<void>;
}

export async function startVictims(warm: number, withoutDuties: boolean): Promise<Victims> {
  const [bundled, database]: [BundledManagers, TestDatabase] = await Promise.all([bundleManagers(), testDatabase()]);
  const waiting: Promise<ScriptedProcess>[] = [];
  const start = () =>
    startScripted({
      program: bundled.scripted,
      databaseUrl: database.url,
      preload: [KILL],
      withoutDuties,
      times: TIMES,
      config: CONFIG,
    });
  return {
    database,
    next: async () => {
      while (waiting.length <= warm) waiting.push(start());
      return await (waiting.shift() ?? start());
    },
    remove: async () => {
      for (const victim of waiting.splice(0)) await (await victim).kill();
      await database.drop();
      await bundled.remove();
    },
  };
}

export const arm = (process: ScriptedProcess, how: Arm) =>
  process.tell<{ armed?: true }>(how, ({ armed }) => armed === true);

/** The statements of what a manager was armed for: those after its last COMMIT are told to others, after the answer. */
export async function statementsSince(process: ScriptedProcess): Promise<number> {
  const { texts } = await process.tell<{ texts?: string[] }>({ count: true }, (answer) => answer.texts !== undefined);
  return texts === undefined ? 0 : texts.lastIndexOf('COMMIT') + 1;
}

/** After which statements a manager is killed: all, or by day some of many, always with the last. */
export function points(statements: number, pick: (limit: number) => number): number[] {
  const every = LONG ? 1 : Math.max(1, Math.ceil(statements / 2));
  const first = 1 + pick(every);
  const chosen = Array.from({ length: statements }, (_, at) => at + 1).filter((at) => (at - first) % every === 0);
  return [...new Set([...chosen, statements])];
}

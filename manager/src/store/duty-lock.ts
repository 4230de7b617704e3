import type { Sql } from '../db/transaction.ts';

/** Any number, the same in every manager. */
const DUTY_LOCK = 4_201_703;

/** Takes the lock of the duties for the life of the connection; false when somebody has it. */
export async function holdDuty(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [DUTY_LOCK]);
  return rows[0]?.held === true;
}

/** Fails when the connection is lost. */
export async function pulse(sql: Sql): Promise<void> {
  await sql.query('SELECT 1');
}

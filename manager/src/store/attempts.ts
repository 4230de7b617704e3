import type { AttemptPlacement, AttemptStatus } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';

export interface AttemptRow {
  readonly id: string;
  readonly run_id: string;
  readonly number: number;
  readonly placement: AttemptPlacement;
  readonly status: AttemptStatus;
  readonly runner_id: string;
  /** SHA-256 of the token; null until a start made one. */
  readonly token_hash: Buffer | null;
  readonly epoch: number | null;
  readonly handle: Record<string, unknown> | null;
  readonly end_reason: string | null;
  readonly gone_at: Date | null;
  readonly claimed_at: Date | null;
  readonly ended_at: Date | null;
  readonly created_at: Date;
}

/** Inserts the next attempt of a run, whose lock the caller holds. */
export async function insertAttempt(
  sql: Sql,
  attempt: Pick<AttemptRow, 'id' | 'run_id' | 'number' | 'placement' | 'runner_id'> & { readonly tokenHash?: Buffer },
): Promise<void> {
  await sql.query({
    name: 'insert-attempt',
    text: `INSERT INTO agentrun_attempts (id, run_id, number, placement, runner_id, token_hash)
      VALUES ($1, $2, $3, $4, $5, $6)`,
    values: [
      attempt.id,
      attempt.run_id,
      attempt.number,
      attempt.placement,
      attempt.runner_id,
      attempt.tokenHash ?? null,
    ],
  });
}

export async function findAttempt(sql: Sql, id: string): Promise<AttemptRow | undefined> {
  return (await sql.query<AttemptRow>('SELECT * FROM agentrun_attempts WHERE id = $1', [id])).rows[0];
}

/** The attempt that a token belongs to, by the SHA-256 of the token. */
export async function findAttemptByToken(
  sql: Sql,
  tokenHash: Buffer,
): Promise<Pick<AttemptRow, 'id' | 'run_id'> | undefined> {
  const { rows } = await sql.query<AttemptRow>({
    name: 'attempt-of-token',
    text: 'SELECT id, run_id FROM agentrun_attempts WHERE token_hash = $1',
    values: [tokenHash],
  });
  return rows[0];
}

/** Gives an attempt a new token; the former one is worth nothing from then on. */
export async function setToken(sql: Sql, id: string, tokenHash: Buffer): Promise<void> {
  await sql.query('UPDATE agentrun_attempts SET token_hash = $2, updated_at = now() WHERE id = $1', [id, tokenHash]);
}

export async function setHandle(sql: Sql, id: string, handle: object): Promise<void> {
  await sql.query('UPDATE agentrun_attempts SET handle = $2, updated_at = now() WHERE id = $1', [id, handle]);
}

export async function noteClaim(sql: Sql, id: string, runnerId: string, epoch: number): Promise<void> {
  await sql.query({
    name: 'note-claim',
    text: `UPDATE agentrun_attempts SET status = 'claimed', runner_id = $2, epoch = $3,
        claimed_at = coalesce(claimed_at, now()), updated_at = now()
      WHERE id = $1 AND status IN ('created', 'claimed')`,
    values: [id, runnerId, epoch],
  });
}

/** Ends an attempt; its former end stays. */
export async function endAttempt(sql: Sql, id: string, status: 'lost' | 'ended', reason: string): Promise<void> {
  await sql.query({
    name: 'end-attempt',
    text: `UPDATE agentrun_attempts SET status = $2, end_reason = $3, ended_at = now(), updated_at = now()
      WHERE id = $1 AND ended_at IS NULL`,
    values: [id, status, reason],
  });
}

/** Nothing of the attempt lives any more. */
export async function noteGone(sql: Sql, id: string): Promise<void> {
  await sql.query('UPDATE agentrun_attempts SET gone_at = coalesce(gone_at, now()), updated_at = now() WHERE id = $1', [
    id,
  ]);
}

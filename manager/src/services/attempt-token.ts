import { createHash, randomBytes } from 'node:crypto';
import type { Sql } from '../db/transaction.ts';
import { findAttemptByToken, setToken } from '../store/attempts.ts';
import type { Manager } from './manager.ts';

/** SHA-256 of a token: what is kept of it. */
export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** `art_<attemptId>_<32 random bytes>`: 256 bits that nobody can guess. */
export function newToken(attemptId: string): { readonly token: string; readonly hash: Buffer } {
  const token = `art_${attemptId}_${randomBytes(32).toString('base64url')}`;
  return { token, hash: tokenHash(token) };
}

/** Which attempt a token is for; that never changes. */
export interface AttemptIdentity {
  readonly id: string;
  readonly runId: string;
  /** Of the token that was shown; that of the attempt may have been renewed since. */
  readonly tokenHash: Buffer;
}

/** Attempts by the hash of their tokens: asked for with every write of a runner. Only what is known is kept. */
const known = new Map<string, AttemptIdentity>();
const MOST = 10_000;

/** The attempt of a token, or undefined. Whether it holds its run is another question. */
export async function attemptOf(manager: Manager, token: string): Promise<AttemptIdentity | undefined> {
  const hash = tokenHash(token);
  const name = hash.toString('base64');
  const seen = known.get(name);
  if (seen !== undefined) return seen;
  const attempt = await findAttemptByToken(manager.pool, hash);
  if (attempt === undefined) return undefined;
  const identity = { id: attempt.id, runId: attempt.run_id, tokenHash: hash };
  if (known.size >= MOST) known.clear();
  known.set(name, identity);
  return identity;
}

/** A token for an attempt that is about to be started; an earlier one is worth nothing from then on. */
export async function renewToken(sql: Sql, attemptId: string): Promise<string> {
  const { token, hash } = newToken(attemptId);
  await setToken(sql, attemptId, hash);
  for (const [name, { id }] of known) if (id === attemptId) known.delete(name);
  return token;
}

import { createHash } from 'node:crypto';
import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { invalidField } from '../invalid-field.ts';
import { keepAnswer, takeKey } from '../store/idempotency.ts';
import { markRepeated } from './repeated.ts';

/** A key and where it counts: a route and its parent, or the tenant and project where there is none. */
export interface Key {
  readonly scope: string;
  readonly key: string;
  /** Of the request, by {@link requestHash}. */
  readonly hash: string;
}

/**
 * Does the work once for each key: a later request with the same key and the same body gets the stored answer, whatever
 * has become of the objects since. Work and answer are one transaction.
 *
 * @throws Failure `idempotency-conflict` when the key came with another body.
 */
export async function idempotent<T>(sql: Sql, key: Key | undefined, work: () => Promise<T>): Promise<T> {
  if (key === undefined) return await work();
  const known = await takeKey(sql, key.scope, key.key, key.hash);
  if (known === undefined) {
    const answer = await work();
    await keepAnswer(sql, key.scope, key.key, answer);
    return answer;
  }
  if (known.requestHash === key.hash) return markRepeated(known.response as T);
  throw new Failure('idempotency-conflict', `the idempotency key "${key.key}" was used for another request`, {
    details: { scope: key.scope },
  });
}

/** SHA-256 over JSON with sorted members: the order in which a client writes them says nothing. */
export function requestHash(body: unknown): string {
  return createHash('sha256').update(sorted(body)).digest('hex');
}

function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, item]) => `${JSON.stringify(name)}:${sorted(item)}`);
  return `{${members.join(',')}}`;
}

/**
 * The key of a request: header and body member mean the same.
 *
 * @throws Failure `schema-invalid` when both are given and differ.
 */
export function keyOf(
  scope: string,
  body: object,
  header: string | undefined,
  member: string | undefined,
): Key | undefined {
  if (header !== undefined && member !== undefined && header !== member) {
    throw invalidField('headers.idempotency-key', 'and the key in the body differ: give one of them', header);
  }
  const key = header ?? member;
  if (key === undefined) return undefined;
  // Wherever the key stands, it is the same request.
  return { scope, key, hash: requestHash({ ...body, idempotencyKey: undefined, commandIdempotencyKey: undefined }) };
}

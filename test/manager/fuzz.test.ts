import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../helpers/manager.ts';
import type { ScriptedRunner } from '../helpers/manager-client.ts';
import { goodValue, type Pool } from './routes/good-values.ts';
import { type Operation, readOperations } from './routes/operations.ts';
import { brokenBody, type Change, change, changed, WRONG_TEXTS, wrongJson } from './routes/wrong-values.ts';
import { newSessionId, ofSession, underWay } from './services/scenes.ts';

const GIVEN = process.env['AGENTRUN_FUZZ_CASES'];
const CASES = Number(GIVEN ?? 5000);
/** The same cases in every run of the tests, others in every longer one; a failure tells its seed, to be given again. */
const SEED = Number(process.env['AGENTRUN_FUZZ_SEED'] ?? (GIVEN === undefined ? 20_260_101 : Date.now() % 2 ** 31));
/** How much more memory may be in use after all cases than after the first thousand, in bytes. */
const GROWTH = 24 * 1024 * 1024;
const LARGEST = new Uint8Array(11 * 1024 * 1024).fill(0x61);

/** What a case chooses; the names of things are put in when it is sent. */
interface Case {
  readonly operation: Operation;
  readonly picks: readonly number[];
  readonly params: readonly (string | null)[];
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly form: 'good' | 'changed' | 'broken' | 'absent' | 'largest';
  readonly changes: readonly Change[];
  readonly broken: Uint8Array;
}

let manager: TestManager;
let operations: Operation[];

beforeAll(async () => {
  manager = await testManager({ config: { staleHeartbeatFencingMs: 3_600_000 } });
  operations = await readOperations(manager.url);
});
afterAll(() => manager.stop());

const headerText = fc.constantFrom(
  '0',
  '1',
  '2',
  '-1',
  'x',
  '99999999999999999999',
  '2147483648',
  'a'.repeat(300),
  '%00',
  'run_none.1',
  `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
);
const wrongText = fc.oneof(
  fc.constantFrom(...WRONG_TEXTS),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

function cases(among: readonly Operation[]): fc.Arbitrary<Case> {
  return fc.constantFrom(...among).chain((operation) =>
    fc.record({
      operation: fc.constant(operation),
      picks: fc.array(fc.nat(1000), { minLength: 24, maxLength: 24 }),
      params: fc.array(fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: wrongText }), {
        minLength: 4,
        maxLength: 4,
      }),
      query: fc.dictionary(
        fc.constantFrom(
          'surplus',
          ...operation.parameters.filter((each) => each.in === 'query').map(({ name }) => name),
        ),
        wrongText,
        { maxKeys: 3 },
      ),
      headers: fc.dictionary(
        fc.constantFrom(
          'idempotency-key',
          'traceparent',
          'runner-epoch',
          'producer-seq',
          'last-event-id',
          'content-type',
          'accept-language',
        ),
        headerText,
        { maxKeys: 2 },
      ),
      form: fc.oneof(
        { weight: 60, arbitrary: fc.constant('changed' as const) },
        { weight: 15, arbitrary: fc.constant('good' as const) },
        { weight: 10, arbitrary: fc.constant('broken' as const) },
        { weight: 5, arbitrary: fc.constant('absent' as const) },
        { weight: 1, arbitrary: fc.constant('largest' as const) },
      ),
      changes: fc.array(change, { minLength: 1, maxLength: 3 }),
      broken: brokenBody,
    }),
  );
}

function pathOf({ operation, params, query }: Case, pool: Pool): string {
  let index = 0;
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    const wrong = params[index];
    index += 1;
    return encode(wrong ?? pool[name] ?? 'word');
  });
  const search = Object.entries(query).map(([name, value]) => `${name}=${encode(value)}`);
  return `${path}${search.length === 0 ? '' : `?${search.join('&')}`}`;
}

/** Half a surrogate pair has no percent form: it is sent as the bytes that some encoders make of it. */
function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return '%ED%A0%80';
  }
}

function bodyOf(
  { operation: { body, method }, form, picks, changes, broken }: Case,
  pool: Pool,
): string | Uint8Array<ArrayBuffer> | undefined {
  if (method === 'GET' || form === 'absent') return undefined;
  if (form === 'broken') return broken as Uint8Array<ArrayBuffer>;
  if (form === 'largest') return LARGEST;
  let next = 0;
  const pick = (below: number) => {
    next += 1;
    return (picks[next % picks.length] ?? 0) % below;
  };
  const good = body === undefined ? {} : goodValue(body, pool, '', pick);
  return wrongJson(form === 'good' ? good : changes.reduce(changed, good));
}

/** Sends a case and looks at the answer: never a fault of the manager, and a refusal says what is wrong. */
async function send(given: Case, credential: string, pool: Pool, headers: Record<string, string>): Promise<unknown> {
  const { operation } = given;
  const path = pathOf(given, pool);
  const body = bodyOf(given, pool);
  const response = await fetch(`${manager.url}${path}`, {
    method: operation.method,
    headers: { ...headers, ...given.headers, authorization: `Bearer ${credential}` },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const what = `${operation.method} ${path} ${typeof body === 'string' ? body.slice(0, 500) : String(body?.constructor.name)}\n${response.status} ${text.slice(0, 500)}`;
  if (response.status >= 500) throw new Error(what);
  if (response.status === 200) {
    // A word that a case has made a credential is not shown any more, wherever it stands.
    if (operation.answer === undefined || text.includes('[secret]')) return undefined;
    const answer = JSON.parse(text) as { data: unknown };
    if (!operation.answer(answer)) throw new Error(`${what}\n${JSON.stringify(operation.answer.errors)}`);
    return answer.data;
  }
  if (!/^application\/problem\+json(?:;|$)/.test(response.headers.get('content-type') ?? '')) throw new Error(what);
  const problem = JSON.parse(text) as {
    ok: boolean;
    status: number;
    message: string;
    failureKind: string;
    error: { details: { errors?: { path: string; message: string }[] } };
  };
  if (problem.ok || problem.status !== response.status || problem.message === '') throw new Error(what);
  if (problem.failureKind === 'schema-invalid') {
    const { errors } = problem.error.details;
    // Below the schemas there are only the path and the query as a whole, and the headers.
    const isNamed =
      errors?.every((error) => error.path !== '' && error.message !== '') ??
      /\b(?:path|query|URL)\b/.test(problem.message);
    if (!isNamed || errors?.length === 0) throw new Error(what);
  }
  return undefined;
}

interface Things {
  readonly pool: Pool;
  readonly runner: ScriptedRunner;
}

async function freshThings(): Promise<Things> {
  const sessionId = `fuzz-${Date.now()}-${newSessionId()}`;
  const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
  const other = await manager.createRun();
  const { id: commandId } = await manager.turn(other.id);
  const job = await manager.ask<{ id: string }>('POST', `runs/${other.id}/runner-jobs`, { commandId });
  const pool = {
    runId,
    sessionId,
    commandId: turn.id,
    targetCommandId: turn.id,
    runnerJobId: job.id,
    backendProfile: 'codex',
    profile: 'codex',
    runnerId: runner.runnerId,
    attemptId: runner.attemptId,
  };
  return { pool, runner };
}

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** What is in use after all that can be thrown away is. */
function memoryInUse(): number {
  manager.log.length = 0;
  manager.placement.started.length = 0;
  for (let round = 0; round < 3; round += 1) gc();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

/** @param fresh after so many cases the things that requests name are made anew. */
async function fuzz(
  among: readonly Operation[],
  count: number,
  fresh: number,
  one: (given: Case, things: Things) => Promise<void>,
): Promise<void> {
  let done = 0;
  let things = await freshThings();
  let base: number | undefined;
  await fc.assert(
    fc.asyncProperty(cases(among), async (given) => {
      done += 1;
      if (done % fresh === 0) {
        things = await freshThings();
        manager.log.length = 0;
      }
      if (done === Math.min(1000, Math.ceil(count / 2))) base = memoryInUse();
      await one(given, things);
    }),
    { numRuns: count, seed: SEED, endOnFailure: false },
  );
  expect(memoryInUse() - (base ?? 0)).toBeLessThan(GROWTH);
  expect(await manager.request('GET', '/health/readiness')).toMatchObject({ status: 200, data: { ready: true } });
  expect(await manager.ask('GET', 'doctor')).toMatchObject({ violations: [] });
}

describe('wrong requests of every operation of the OpenAPI document', () => {
  it(`never break the manager: ${CASES} of an operator`, { timeout: 120_000 + CASES * 60 }, async () => {
    await fuzz(
      operations.filter(({ forOperators }) => forOperators),
      CASES,
      200,
      async (given, { pool }) => {
        await send(given, manager.key, pool, {});
      },
    );
  });

  it(`never break the manager: ${Math.ceil(CASES / 4)} of a runner with the token of its attempt`, {
    timeout: 120_000 + CASES * 15,
  }, async () => {
    let epoch = 0;
    const own = operations.filter(({ forRunners }) => forRunners);
    await fuzz(own, Math.ceil(CASES / 4), 20, async (given, { pool, runner }) => {
      const data = (await send(given, runner.token, pool, { 'runner-epoch': String(Math.max(epoch, runner.epoch)) })) as
        | { readonly leaseEpoch?: number }
        | undefined;
      epoch = data?.leaseEpoch ?? (runner.epoch === 1 ? Math.max(epoch, 1) : epoch);
    });
  });
});

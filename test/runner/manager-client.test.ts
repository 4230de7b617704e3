import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FAILURE_KINDS, type FailureKind } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callManager } from '../../runner/src/manager-client-call.ts';
import { ManagerFailure, ManagerUnreachable } from '../../runner/src/manager-client-failure.ts';
import { retrying } from '../../runner/src/manager-client-retry.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let server: Server;
let url = '';
let answer: (response: ServerResponse) => void = () => {};
const seen: Record<string, unknown>[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push({ method: request.method, url: request.url, ...request.headers });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server.closeAllConnections());
afterAll(() => new Promise((resolve) => server.close(resolve)));

const call = (timeoutMs = 5000, signal?: AbortSignal) =>
  callManager(
    { url, token: 'art_1', traceparent: TRACEPARENT },
    {
      method: 'POST',
      path: '/runs/run_1/x?y=1',
      body: '{}',
      epoch: 7,
      producerSeq: 3,
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    },
  );
const refuse = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
  answer = (response) =>
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
};
const problem = (failureKind: string, details: object = {}) => ({
  ok: false,
  failureKind,
  message: 'said',
  error: { details },
});

describe('a request to the manager', () => {
  it('carries the token, the epoch and the number, and gives the data', async () => {
    refuse(200, { ok: true, data: { a: 1 }, traceId: 't' });
    expect(await call()).toEqual({ a: 1 });
    expect(seen.at(-1)).toMatchObject({
      method: 'POST',
      url: '/api/v1/runs/run_1/x?y=1',
      authorization: 'Bearer art_1',
      'runner-epoch': '7',
      'producer-seq': '3',
      traceparent: TRACEPARENT,
    });
  });

  it.each(
    Object.entries(FAILURE_KINDS).flatMap(([kind, { httpStatus }]) =>
      httpStatus === null || kind === 'unavailable' ? [] : [[kind as FailureKind, httpStatus] as const],
    ),
  )('tells the refusal %s apart', async (kind, status) => {
    refuse(status, problem(kind, { expected: 4 }));
    const refused = await call().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ManagerFailure);
    expect(refused).toMatchObject({
      failureKind: kind,
      status,
      details: { expected: 4 },
      retryable: FAILURE_KINDS[kind].retryable,
    });
  });

  it.each<[string, number, unknown]>([
    ['a manager that is not ready', 503, problem('unavailable')],
    ['a gateway', 502, '<html>Bad gateway</html>'],
    ['a page of somebody else', 200, '<html>Log in</html>'],
    ['an answer without ok', 200, { data: 1 }],
    ['a redirect', 302, ''],
    ['a failure of a kind that nobody knows', 418, problem('teapot')],
  ])('takes %s for no answer of the manager', async (_name, status, body) => {
    refuse(status, body, { 'retry-after': '2' });
    const failed = await call().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ManagerUnreachable);
    expect(failed).toMatchObject({ retryAfterMs: 2000 });
  });

  it('is given up when there is no answer in time, or none is wanted', async () => {
    answer = () => {};
    await expect(call(30)).rejects.toBeInstanceOf(ManagerUnreachable);
    const stop = new AbortController();
    const reason = new Error('not wanted');
    const asked = call(5000, stop.signal);
    stop.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await expect(call(5000, stop.signal)).rejects.toBe(reason);
  });

  it('is told as unreachable when the connection breaks', async () => {
    answer = (response) => response.destroy();
    await expect(call()).rejects.toBeInstanceOf(ManagerUnreachable);
  });
});

describe('trying again', () => {
  const pauses = { firstMs: 1, longestMs: 2 };
  const never = new AbortController().signal;

  it('goes on while nobody answers, and ends with the first answer', async () => {
    let tries = 0;
    const result = await retrying(
      () => {
        tries += 1;
        return tries < 30 ? Promise.reject(new ManagerUnreachable('no')) : Promise.resolve(tries);
      },
      { signal: never, ...pauses },
    );
    expect(result).toBe(30);
  });

  it('does not repeat what cannot become better', async () => {
    let tries = 0;
    const failing = retrying(
      () => {
        tries += 1;
        return Promise.reject(new ManagerFailure(409, 'conflict', 'no', {}));
      },
      { signal: never, ...pauses },
    );
    await expect(failing).rejects.toMatchObject({ failureKind: 'conflict' });
    expect(tries).toBe(1);
  });

  it('gives up a manager that fails again and again', async () => {
    let tries = 0;
    const failing = retrying(
      () => {
        tries += 1;
        return Promise.reject(new ManagerFailure(500, 'infra-failed', 'no', {}));
      },
      { signal: never, maxRefusals: 4, ...pauses },
    );
    await expect(failing).rejects.toMatchObject({ failureKind: 'infra-failed' });
    expect(tries).toBe(4);
  });

  it('ends with the reason of its signal, also within a pause', async () => {
    const stop = new AbortController();
    const reason = new Error('the lease is lost');
    const failing = retrying(() => Promise.reject(new ManagerUnreachable('no', { retryAfterMs: 60_000 })), {
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(reason), 10);
    await expect(failing).rejects.toBe(reason);
  });
});

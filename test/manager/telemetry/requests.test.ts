import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../manager/src/failure.ts';
import { openSse } from '../../../manager/src/http/sse.ts';
import { type KernelServer, kernelServer, OPERATOR_KEY } from '../../helpers/kernel-server.ts';

let server: KernelServer;

beforeAll(async () => {
  server = await kernelServer((app) => {
    app.get('/runs/:runId', async () => 'run');
    app.get('/sessions/:sessionId/x/:name', async () => {
      throw new Failure('session-busy', 'busy');
    });
    app.get('/slow', async () => new Promise((resolve) => setTimeout(resolve, 500)));
    app.get('/stream', async (request, reply) => {
      await openSse(request, reply).send({ data: 1 });
    });
    app.metrics.counter({ name: 'agentrun_tests_total', help: 'x', labelNames: ['kind'] }).inc({ kind: 'a' }, 2);
  });
});
afterAll(() => server.close());

const lineOf = async (match: Record<string, unknown>) => {
  const find = () => server.lines.find((line) => Object.entries(match).every(([key, value]) => line[key] === value));
  await expect.poll(find).toBeDefined();
  return find();
};

describe('the line of a request', () => {
  it('holds the route, not the URL, with the ids of what it is about', async () => {
    const { problem, headers } = await server.call('GET', '/runs/run_1?cursor=private');
    expect(problem.ok).toBe(true);
    expect(await lineOf({ traceId: headers.get('x-trace-id') })).toEqual({
      level: 'info',
      time: expect.any(String) as string,
      service: 'agentrun-mgr',
      traceId: headers.get('x-trace-id'),
      method: 'GET',
      route: '/runs/:runId',
      status: 200,
      ms: expect.any(Number) as number,
      runId: 'run_1',
      msg: 'request',
    });
    expect(JSON.stringify(server.lines)).not.toContain('private');
  });

  it('holds the kind of the failure, and of the params only the ids', async () => {
    const { problem } = await server.call('GET', '/sessions/sess_1/x/some-name');
    const line = await lineOf({ traceId: problem.traceId });
    expect(line).toMatchObject({ status: 409, failureKind: 'session-busy', sessionId: 'sess_1' });
    expect(JSON.stringify(line)).not.toContain('some-name');
  });

  it.each(['/nope?key=private', '/runs/%zz'])('is there when no route is: %s', async (path) => {
    const text = await server.raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const traceId = /"traceId":"(trc_\w+)"/.exec(text)?.[1];
    expect(await lineOf({ traceId })).toMatchObject({ route: 'unmatched', status: expect.any(Number) as number });
  });

  it('is written once a request', async () => {
    const { headers } = await server.call('GET', '/runs/run_2');
    await lineOf({ runId: 'run_2' });
    expect(server.lines.filter(({ traceId }) => traceId === headers.get('x-trace-id'))).toHaveLength(1);
  });

  it('says that the caller has gone', async () => {
    const leaving = new AbortController();
    const asked = fetch(`${server.url}/slow`, {
      headers: { authorization: `Bearer ${OPERATOR_KEY}` },
      signal: leaving.signal,
    });
    setTimeout(() => leaving.abort(), 50);
    await expect(asked).rejects.toThrow();
    expect(await lineOf({ route: '/slow' })).toMatchObject({ status: 499, callerGone: true });
  });

  it('is written at the end of an event stream', async () => {
    const leaving = new AbortController();
    await fetch(`${server.url}/stream`, {
      headers: { authorization: `Bearer ${OPERATOR_KEY}` },
      signal: leaving.signal,
    });
    leaving.abort();
    expect(await lineOf({ route: '/stream' })).toMatchObject({ status: 200, callerGone: true });
  });
});

describe('the metrics', () => {
  it('measure requests by route, method and status, without labels that callers invent', async () => {
    await server.call('GET', '/runs/run_3');
    await server.call('GET', '/runs/run_4');
    await server.raw('PROPFIND /any/thing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const read = async () => (await server.call('GET', '/metrics')).text;
    await expect.poll(read).toMatch(/duration_seconds_count\{method="other",route="unmatched",status="404"\} 1/);
    const text = await read();
    expect(text).toMatch(
      /agentrun_http_request_duration_seconds_count\{method="GET",route="\/runs\/:runId",status="200"\} [2-9]/,
    );
    expect(text).not.toMatch(/run_3|any\/thing|PROPFIND|route="\/stream"/);
  });

  it('hold the process, the open streams and what others count', async () => {
    const { text, headers } = await server.call('GET', '/metrics');
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).toContain('agentrun_tests_total{kind="a"} 2');
    expect(text).toMatch(/agentrun_http_event_streams \d/);
  });

  it('are of each server by itself', async () => {
    const other = await kernelServer(() => undefined);
    expect((await other.call('GET', '/metrics')).text).not.toContain('agentrun_tests_total');
    await other.close();
  });
});

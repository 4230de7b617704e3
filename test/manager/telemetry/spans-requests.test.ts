import { redactor } from '@agentrun/lib/contract';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../manager/src/failure.ts';
import { openSse } from '../../../manager/src/http/sse.ts';
import { Metrics } from '../../../manager/src/telemetry/metrics.ts';
import { openSpans, type Spans } from '../../../manager/src/telemetry/spans.ts';
import { type KernelServer, kernelServer } from '../../helpers/kernel-server.ts';
import { API_KEY } from '../../helpers/lane-config.ts';
import { type Collector, caller, collector } from './spans-collector.ts';

let sink: Collector;
let spans: Spans;
let server: KernelServer;

beforeAll(async () => {
  sink = await collector();
  const metrics = new Metrics();
  spans = await openSpans({
    endpoint: `${sink.url}/otlp/`,
    version: '1.2.3',
    lane: 'v0.1',
    redact: redactor([API_KEY]),
    log: pino({ level: 'silent' }),
    metrics,
    traceOfRun: () => Promise.resolve(null),
    bounds: { delayMs: 20 },
  });
  server = await kernelServer(
    (app) => {
      app.get('/runs/:runId', async () => 'run');
      app.get('/sessions/:sessionId/busy', async () => {
        throw new Failure('session-busy', 'busy');
      });
      app.get('/broken', async () => {
        throw new TypeError('a fault of ours');
      });
      app.get('/slow', async () => new Promise((resolve) => setTimeout(resolve, 500)));
      app.get('/stream', async (request, reply) => {
        const stream = openSse(request, reply);
        await stream.send({ data: 1 });
        stream.close('end');
      });
      app.get('/bad-span', { config: { spans: () => JSON.parse('{') as [] } }, async () => 'fine');
    },
    { spans, metrics },
  );
});
afterAll(async () => {
  await server.close();
  await spans.close();
  await sink.close();
});

describe('the span of a request', () => {
  it('is a server span with method, template and status, and the ids that the path names', async () => {
    const { headers } = await server.call('GET', '/runs/run_1?cursor=private');
    const span = await sink.span({ name: 'GET /runs/:runId', runId: 'run_1' });
    expect(span).toMatchObject({
      kind: 2,
      parentSpanId: null,
      status: { code: 0 },
      attributes: { 'http.method': 'GET', 'http.route': '/runs/:runId', 'http.status_code': 200, runId: 'run_1' },
    });
    // The trace of the answer, and of the log.
    expect(headers.get('x-trace-id')).toBe(`trc_${span.traceId}`);
    expect(span.ended).toBeGreaterThanOrEqual(span.begun);
    expect(JSON.stringify(sink.bodies)).not.toContain('private');
    expect(sink.resource).toMatchObject({
      'service.name': 'agentrun-mgr',
      'service.version': '1.2.3',
      'agentrun.lane': 'v0.1',
    });
    expect([...sink.posted]).toEqual(['POST /otlp/v1/traces application/json']);
  });

  it('stands below the span of its caller', async () => {
    const from = caller();
    await server.call('GET', '/runs/run_below', { headers: { ...operator(), traceparent: from.traceparent } });
    const span = await sink.span({ name: 'GET /runs/:runId', runId: 'run_below' });
    expect(span).toMatchObject({ traceId: from.traceId, parentSpanId: from.spanId });
    expect(span.spanId).not.toBe(from.spanId);
  });

  it('is not sent when the caller has said that its trace is not', async () => {
    const from = caller('00');
    await server.call('GET', '/runs/run_unsampled', { headers: { ...operator(), traceparent: from.traceparent } });
    await server.call('GET', '/runs/run_after');
    await sink.span({ name: 'GET /runs/:runId', runId: 'run_after' });
    expect(sink.spans.filter(({ attributes }) => attributes['runId'] === 'run_unsampled')).toEqual([]);
  });

  it('tells the real status of a refusal, with its kind; that is no error of ours', async () => {
    await server.call('GET', '/sessions/sess_1/busy');
    expect(await sink.span({ name: 'GET /sessions/:sessionId/busy' })).toMatchObject({
      status: { code: 0 },
      attributes: { 'http.status_code': 409, failureKind: 'session-busy', sessionId: 'sess_1' },
    });
    await server.call('GET', '/runs/run_refused', { headers: {} });
    expect(await sink.span({ name: 'GET /runs/:runId', runId: 'run_refused' })).toMatchObject({
      attributes: { 'http.status_code': 401, failureKind: 'unauthenticated' },
    });
  });

  it('is an error when the manager failed, without its inner words', async () => {
    await server.call('GET', '/broken');
    const span = await sink.span({ name: 'GET /broken' });
    expect(span).toMatchObject({
      status: { code: 2, message: 'infra-failed' },
      attributes: { 'http.status_code': 500, failureKind: 'infra-failed' },
    });
    expect(JSON.stringify(sink.bodies)).not.toContain('a fault of ours');
  });

  it.each(['/nope?key=private', '/runs/%zz'])('is there, without a path, when no route is: %s', async (path) => {
    const text = await server.raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const traceId = /"traceId":"trc_(\w+)"/.exec(text)?.[1];
    await expect.poll(() => sink.spans.find((span) => span.traceId === traceId)).toBeDefined();
    const span = sink.spans.find((one) => one.traceId === traceId);
    expect(span?.name).toBe('GET');
    expect(span?.attributes).not.toHaveProperty('http.route');
    expect(span?.attributes['http.status_code']).toBeGreaterThanOrEqual(400);
  });

  it('says that the caller has gone', async () => {
    const leaving = new AbortController();
    const asked = fetch(`${server.url}/slow`, { headers: operator(), signal: leaving.signal }).catch(() => undefined);
    setTimeout(() => leaving.abort(), 100);
    await asked;
    expect(await sink.span({ name: 'GET /slow' })).toMatchObject({
      attributes: { 'http.status_code': 499, callerGone: true },
    });
  });

  it('is one for a whole stream', async () => {
    await server.call('GET', '/stream');
    await sink.span({ name: 'GET /stream', 'http.status_code': 200 });
    expect(sink.spans.filter(({ name }) => name === 'GET /stream')).toHaveLength(1);
  });

  it('holds no secret, and no long text', async () => {
    await server.call('GET', `/runs/${API_KEY}`);
    await server.call('GET', `/runs/run_${'x'.repeat(250)}`);
    await sink.span({ name: 'GET /runs/:runId', runId: `run_${'x'.repeat(250)}` });
    expect(JSON.stringify(sink.bodies)).not.toContain(API_KEY);
  });

  it('does not fail with the spans of its answer', async () => {
    expect(await server.call('GET', '/bad-span')).toMatchObject({ status: 200, data: 'fine' });
    await sink.span({ name: 'GET /bad-span', 'http.status_code': 200 });
  });
});

const operator = () => ({ authorization: 'Bearer the-key-of-the-operator-of-the-tests' });

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_KEY } from '../../helpers/lane-config.ts';
import { placedRunner, RUN_INPUT } from '../../helpers/manager-client.ts';
import { newSessionId, underWay } from '../services/scenes.ts';
import { caller } from './spans-collector.ts';
import { type SpanScene, spanScene } from './spans-scene.ts';

let scene: SpanScene;
let sink: SpanScene['sink'];
let manager: SpanScene['manager'];
let { requestOf, assertBelow, allOf, settled } = {} as SpanScene;
beforeAll(async () => {
  scene = await spanScene();
  ({ sink, manager, requestOf, assertBelow, allOf, settled } = scene);
});
afterAll(() => scene.close());

const EVENTS = '/api/v1/runs/:runId/events';

describe('the spans of what clients do', () => {
  it('tell of a run that was created (S1), below the request, in the trace of its caller', async () => {
    const from = caller();
    const { id: runId } = await manager.ask<{ id: string }>('POST', 'runs', RUN_INPUT, {
      traceparent: from.traceparent,
    });
    const span = await sink.span({ name: 'run_created', runId });
    expect(span).toMatchObject({
      traceId: from.traceId,
      status: { code: 1 },
      attributes: { backendProfile: 'codex', providerId: 'test' },
    });
    await assertBelow(span, 'POST', '/api/v1/runs');
    expect(requestOf(span)?.parentSpanId).toBe(from.spanId);
  });

  it('tell nothing of a run that was not created, or only answered again', async () => {
    const key = { 'idempotency-key': 'the-same' };
    const first = await manager.ask<{ id: string }>('POST', 'runs', RUN_INPUT, key);
    const again = await manager.ask<{ id: string }>('POST', 'runs', RUN_INPUT, key);
    expect(again.id).toBe(first.id);
    const { traceparent, traceId } = caller();
    await manager.request('POST', 'runs', { ...RUN_INPUT, backendProfile: 'no-such-profile' }, { traceparent });
    await settled();
    expect(allOf(first.id, 'run_created')).toHaveLength(1);
    await expect
      .poll(() => sink.spans.filter((span) => span.traceId === traceId))
      .toMatchObject([
        { name: 'POST /api/v1/runs', attributes: { 'http.status_code': 400, failureKind: 'schema-invalid' } },
      ]);
  });

  it('tell of a command that was created (S2)', async () => {
    const { id: runId } = await manager.createRun();
    const turn = await manager.turn(runId);
    const span = await sink.span({ name: 'command_created', runId });
    expect(span.attributes).toMatchObject({ commandId: turn.id, commandType: 'turn', commandState: 'pending' });
    expect(span.status.code).toBe(1);
    await assertBelow(span, 'POST', '/api/v1/runs/:runId/commands');
  });

  it('tell of a runner job that was created (S3)', async () => {
    const { id: runId } = await manager.createRun();
    const turn = await manager.turn(runId);
    const job = await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    const span = await sink.span({ name: 'runner_job_created', runId });
    expect(span.attributes).toMatchObject({
      commandId: turn.id,
      jobName: job['jobName'],
      namespace: job['namespace'],
      attemptId: job['attemptId'],
    });
    expect(span.attributes).not.toHaveProperty('decision');
    await assertBelow(span, 'POST', '/api/v1/runs/:runId/runner-jobs');
  });

  it('tell of a text to a session, of all that it made (S1 to S4), and of one that steers', async () => {
    const sessionId = newSessionId();
    const path = `sessions/${sessionId}/send`;
    const route = '/api/v1/sessions/:sessionId/send';
    const sent = await manager.ask<{ run: { id: string }; command: { id: string } }>('POST', path, {
      prompt: 'do it',
      run: { tenantId: 'tenant', projectId: 'project', backendProfile: 'codex' },
    });
    const runId = sent.run.id;
    const commandId = sent.command.id;
    const send = await sink.span({ name: 'session_send', runId });
    expect(send.attributes).toMatchObject({ sessionId, commandId, decision: 'turn', createRunnerJob: true });
    expect(send.attributes['reusedActiveRun']).toBe(false);
    const made = [
      await sink.span({ name: 'run_created', runId, decision: 'turn', sessionId }),
      await sink.span({ name: 'command_created', runId, commandId, decision: 'turn', commandState: 'pending' }),
      await sink.span({ name: 'runner_job_created', runId, commandId, decision: 'turn' }),
      send,
    ];
    for (const span of made) await assertBelow(span, 'POST', route);
    expect(new Set(made.map(({ parentSpanId }) => parentSpanId)).size).toBe(1);

    const runner = placedRunner(manager, await manager.startOf(runId));
    await runner.claim();
    await runner.ack(commandId);
    const steer = await manager.ask<{ command: { id: string } }>('POST', path, { prompt: 'rather so' });
    const steered = await sink.span({ name: 'session_send', runId, decision: 'steer' });
    expect(steered.attributes).toMatchObject({ commandId: steer.command.id, reusedActiveRun: true });
    expect(steered.attributes).not.toHaveProperty('createRunnerJob');
    await sink.span({ name: 'command_created', commandId: steer.command.id, decision: 'steer', commandType: 'steer' });
    expect(allOf(runId, 'run_created')).toHaveLength(1);
    expect(allOf(runId, 'runner_job_created')).toHaveLength(1);
  });

  it('tell nothing of a plan', async () => {
    const sessionId = newSessionId();
    await manager.ask('POST', `sessions/${sessionId}/send`, {
      prompt: 'do it',
      dryRun: true,
      run: { tenantId: 'tenant', projectId: 'project', backendProfile: 'codex' },
    });
    await settled();
    expect(sink.spans.filter(({ attributes }) => attributes['sessionId'] === sessionId)).toMatchObject([
      { name: 'POST /api/v1/sessions/:sessionId/send' },
    ]);
  });

  it('tell of a page of events (S5), and nothing of a stream of them', async () => {
    const { id: runId } = await manager.createRun();
    await manager.turn(runId);
    await manager.ask('GET', `runs/${runId}/events?afterSeq=1&limit=7`);
    const span = await sink.span({ name: 'projection_sync', runId });
    expect(span.attributes).toMatchObject({ afterSeq: 1, limit: 7, eventCount: 1 });
    await assertBelow(span, 'GET', EVENTS);
    const reading = new AbortController();
    const stream = await fetch(`${manager.url}/api/v1/runs/${runId}/events`, {
      headers: { authorization: `Bearer ${API_KEY}`, accept: 'text/event-stream' },
      signal: reading.signal,
    });
    await stream.body?.getReader().read();
    reading.abort();
    await settled();
    expect(allOf(runId, 'projection_sync')).toHaveLength(1);
  });

  it('tell of a result, of a run or of a command, with how it ended (S6)', async () => {
    const { runId, turn, runner } = await underWay(manager);
    await manager.ask('GET', `runs/${runId}/result`);
    const open = await sink.span({ name: 'command_result', runId });
    expect(open.attributes).toMatchObject({ commandId: turn.id });
    expect(open.attributes).not.toHaveProperty('terminalStatus');
    await assertBelow(open, 'GET', '/api/v1/runs/:runId/result');
    await runner.report(turn.id);
    await manager.ask('GET', `runs/${runId}/commands/${turn.id}/result`);
    const ended = await sink.span({ name: 'command_result', runId, terminalStatus: 'completed' });
    await assertBelow(ended, 'GET', '/api/v1/runs/:runId/commands/:commandId/result');
  });
});

it('sends what it has when the manager stops', async () => {
  const { id: runId } = await manager.createRun();
  await manager.stop();
  expect(allOf(runId, 'run_created')).toHaveLength(1);
  expect(sink.spans.some(({ spanId }) => spanId === allOf(runId, 'run_created')[0]?.parentSpanId)).toBe(true);
});

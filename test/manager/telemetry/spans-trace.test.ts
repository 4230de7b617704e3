import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { externalRunner, RUN_INPUT } from '../../helpers/manager-client.ts';
import { newSessionId } from '../services/scenes.ts';
import { caller } from './spans-collector.ts';
import { spanningManager } from './spans-manager.ts';
import { type SpanScene, spanScene } from './spans-scene.ts';

let scene: SpanScene;
let sink: SpanScene['sink'];
let manager: SpanScene['manager'];
let { requestOf } = {} as SpanScene;
beforeAll(async () => {
  scene = await spanScene();
  ({ sink, manager, requestOf } = scene);
});
afterAll(() => scene.close());

describe('a trace', () => {
  it('goes with the run that was made in it to the attempt, below the span of the request', async () => {
    const from = caller();
    const headers = { traceparent: from.traceparent };
    const { id: runId } = await manager.ask<{ id: string }>('POST', 'runs', RUN_INPUT, headers);
    const turn = await manager.turn(runId);
    await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    const { attempt } = await manager.startOf(runId);
    const request = requestOf(await sink.span({ name: 'run_created', runId }));
    expect(attempt.traceparent).toBe(`00-${from.traceId}-${request?.spanId}-01`);
  });

  it('goes with a run that a text to a session made', async () => {
    const from = caller();
    const sent = await manager.ask<{ run: { id: string; traceSink: unknown } }>(
      'POST',
      `sessions/${newSessionId()}/send`,
      { prompt: 'do it', run: { tenantId: 'tenant', projectId: 'project', backendProfile: 'codex' } },
      { traceparent: from.traceparent },
    );
    expect(sent.run.traceSink).toEqual({ traceparent: expect.stringContaining(`00-${from.traceId}-`) as string });
    expect((await manager.startOf(sent.run.id)).attempt.traceparent).toContain(from.traceId);
  });

  it('is the one that the client says, or none when it says so, or is in none', async () => {
    const said = { traceparent: caller().traceparent };
    const headers = { traceparent: caller().traceparent };
    const sinkOf = async (traceSink: object | null, more: Record<string, string>) =>
      (await manager.ask<{ traceSink: unknown }>('POST', 'runs', { ...RUN_INPUT, traceSink }, more))['traceSink'];
    expect(await sinkOf(said, headers)).toEqual(said);
    expect(await sinkOf(null, headers)).toBeNull();
    expect((await manager.createRun()).traceSink).toBeNull();
  });

  it('does not make a repeated request another one', async () => {
    const ask = () =>
      manager.ask<{ id: string }>('POST', 'runs', RUN_INPUT, {
        traceparent: caller().traceparent,
        'idempotency-key': 'in-two-traces',
      });
    expect((await ask()).id).toBe((await ask()).id);
  });

  it('is handed on as it came where no spans are sent', async () => {
    const silent = await spanningManager(null);
    try {
      const { traceparent } = caller();
      const run = await silent.ask('POST', 'runs', RUN_INPUT, { traceparent });
      expect(run['traceSink']).toEqual({ traceparent });
      const runner = await externalRunner(silent, String(run['id']));
      await runner.claim();
      expect((await runner.append([{ type: 'error' }])).status).toBe(200);
      expect(silent.log.filter((line) => /"level":[45]0/.test(line))).toEqual([]);
    } finally {
      await silent.stop();
    }
  });
});

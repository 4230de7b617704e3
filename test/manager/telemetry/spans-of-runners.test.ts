import type { EventInput } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_KEY } from '../../helpers/lane-config.ts';
import { underWay } from '../services/scenes.ts';
import { caller } from './spans-collector.ts';
import { type SpanScene, spanScene } from './spans-scene.ts';

let scene: SpanScene;
let sink: SpanScene['sink'];
let manager: SpanScene['manager'];
let { assertBelow, allOf, settled } = {} as SpanScene;
beforeAll(async () => {
  scene = await spanScene();
  ({ sink, manager, assertBelow, allOf, settled } = scene);
});
afterAll(() => scene.close());

const EVENTS = '/api/v1/runs/:runId/events';

describe('the spans of what runners tell', () => {
  const append = async (events: readonly EventInput[], headers: Record<string, string> = {}) => {
    const { runId, turn, runner } = await underWay(manager);
    const answer = await runner.send('POST', `runs/${runId}/events`, { events }, headers);
    expect(answer.status).toBe(200);
    return { runId, turn, runner };
  };

  it('tell of an error (S7), with all that it says', async () => {
    const { runId, runner } = await append([
      {
        type: 'error',
        payload: {
          failureKind: 'provider-rate-limited',
          message: 'slow\n  down',
          willRetry: true,
          commandId: 'cmd_1',
          runnerId: 'runner_1',
          threadId: 'thread',
          turnId: 'turn',
        },
      },
    ]);
    const span = await sink.span({ name: 'runner_error.provider_rate_limited', runId });
    expect(span).toMatchObject({
      status: { code: 2, message: 'slow down' },
      attributes: {
        eventType: 'error',
        failureKind: 'provider-rate-limited',
        message: 'slow down',
        willRetry: true,
        commandId: 'cmd_1',
        runnerId: 'runner_1',
        threadId: 'thread',
        turnId: 'turn',
        attemptId: runner.attemptId,
      },
    });
    expect(span.attributes).not.toHaveProperty('phase');
    await assertBelow(span, 'POST', EVENTS);
  });

  it.each<[string, EventInput, string, string | undefined]>([
    ['an error of no kind', { type: 'error', payload: {} }, 'runner_error', 'runner_error'],
    [
      'an error whose kind is of signs',
      { type: 'error', payload: { failureKind: '--' } },
      'runner_error.unknown',
      '--',
    ],
    ['a refused claim', status('runner-claim-refused'), 'runner_runner_claim_refused', undefined],
    ['an interrupt', status('turn/interrupt:sent'), 'runner_turn_interrupt_sent', undefined],
    ['a cancelled turn', status('turn-cancelled'), 'runner_turn_cancelled', undefined],
    [
      'a cancel that failed',
      status('cancel-requested', { terminalStatus: 'failed', failureKind: 'backend-crashed' }),
      'runner_cancel_requested',
      'backend-crashed',
    ],
    [
      'a blocked claim',
      status('runner-claim-lost', { terminalStatus: 'blocked' }),
      'runner_runner_claim_lost',
      'runner_runner_claim_lost',
    ],
  ])('tell of %s (S7, S9)', async (_what, event, name, error) => {
    const { runId } = await append([event]);
    const span = await sink.span({ name, runId });
    expect(span.status).toEqual(error === undefined ? { code: 1 } : { code: 2, message: error });
    expect(span.attributes['phase']).toBe(event.payload?.['phase']);
    await assertBelow(span, 'POST', EVENTS);
  });

  it('tell of the end of a run that its runner reports (S8), once', async () => {
    const { runId, runner } = await underWay(manager);
    const report = { failureKind: 'backend-crashed', failureMessage: 'it died', threadId: 'thread-1' };
    await runner.finish('failed', report);
    const span = await sink.span({ name: 'runner_terminal.failed', runId });
    expect(span).toMatchObject({
      status: { code: 2, message: 'it died' },
      attributes: {
        eventType: 'terminal_status',
        terminalStatus: 'failed',
        failureKind: 'backend-crashed',
        threadId: 'thread-1',
        attemptId: runner.attemptId,
      },
    });
    await assertBelow(span, 'PATCH', '/api/v1/runs/:runId/status');
    expect((await runner.finish('failed', report)).status).toBe(200);
    await settled();
    expect(allOf(runId, 'runner_terminal.failed')).toHaveLength(1);
  });

  it('tell of a command that its runner reports (S9), and of the run that ends as it is released', async () => {
    const { runId, turn, runner } = await underWay(manager);
    await runner.report(turn.id, 'completed', { threadId: 'thread-1', turnId: 'turn-1' });
    await runner.report(turn.id, 'completed', { threadId: 'thread-1', turnId: 'turn-1' });
    const command = await sink.span({ name: 'runner_command_terminal', runId });
    expect(command).toMatchObject({
      status: { code: 1 },
      attributes: {
        eventType: 'backend_status',
        phase: 'command-terminal',
        commandId: turn.id,
        terminalStatus: 'completed',
        threadId: 'thread-1',
        turnId: 'turn-1',
      },
    });
    await assertBelow(command, 'PATCH', '/api/v1/commands/:commandId/status');
    await runner.release();
    await runner.release();
    const run = await sink.span({ name: 'runner_terminal.completed', runId });
    await assertBelow(run, 'POST', '/api/v1/runs/:runId/release');
    await settled();
    expect(allOf(runId, 'runner_command_terminal')).toHaveLength(1);
    expect(allOf(runId, 'runner_terminal.completed')).toHaveLength(1);
  });

  it('tell nothing of other events, nor of those that the manager writes', async () => {
    const { runId } = await append([
      status('turn-started'),
      { type: 'assistant_message', payload: { text: 'failed', terminalStatus: 'failed' } },
      { type: 'warning', payload: { message: 'careful' } },
    ]);
    const { id: cancelled } = await manager.createRun();
    await manager.ask('POST', `runs/${cancelled}/cancel`, { reason: 'enough' });
    expect(await manager.phases(cancelled)).toContain('cancel-requested');
    await settled();
    for (const id of [runId, cancelled]) {
      const names = sink.spans.filter(({ attributes }) => attributes['runId'] === id).map(({ name }) => name);
      expect(names.filter((name) => name.startsWith('runner_'))).toEqual([]);
    }
  });

  it('tell once of an event that is sent twice', async () => {
    const { runId, runner } = await underWay(manager);
    const error = (turnId: string): EventInput => ({ type: 'error', payload: { turnId } });
    await runner.append([error('1'), error('2')], 1);
    await runner.append([error('1'), error('2')], 1);
    await runner.append([error('2'), error('3')], 2);
    for (const turnId of ['1', '2', '3']) await sink.span({ name: 'runner_error', runId, turnId });
    await settled();
    expect(allOf(runId, 'runner_error')).toHaveLength(3);
  });

  it('hold no secret, and no more than 300 characters of a message', async () => {
    const { runId } = await append([
      { type: 'error', payload: { message: `the key is ${API_KEY}`, failureKind: `k ${API_KEY}`, turnId: API_KEY } },
      { type: 'error', payload: { message: `${'long '.repeat(20_000)}${API_KEY}`, turnId: 'long' } },
      { type: 'error', payload: { message: `${' '.repeat(16_380)}${API_KEY}`, turnId: 'cut' } },
      status(`runner-claim-${API_KEY}`),
    ]);
    const span = await sink.span({ name: 'runner_error', runId, turnId: 'long' });
    expect(String(span.attributes['message'])).toHaveLength(300);
    expect(span.status.message).toHaveLength(300);
    await settled();
    const sent = sink.bodies.join('\n');
    expect(sent).not.toContain(API_KEY);
    expect(sent).not.toContain(API_KEY.replaceAll('-', '_'));
    expect(sent).not.toContain(API_KEY.slice(0, 12));
  });

  it('stand in the trace of the run when the runner is in none, and point to its request', async () => {
    const from = caller();
    const { runId, runner } = await underWay(manager, { traceSink: { traceparent: from.traceparent } });
    await runner.append([{ type: 'error', payload: { turnId: 'of-the-run' } }]);
    const span = await sink.span({ name: 'runner_error', runId });
    expect(span).toMatchObject({ traceId: from.traceId, parentSpanId: from.spanId });
    const [link] = span.links;
    const request = sink.spans.find(({ spanId }) => spanId === link?.spanId);
    expect(request).toMatchObject({ name: `POST ${EVENTS}`, traceId: link?.traceId });

    const own = caller();
    await runner.send(
      'POST',
      `runs/${runId}/events`,
      { type: 'error', payload: { turnId: 'own' } },
      { traceparent: own.traceparent },
    );
    const below = await sink.span({ name: 'runner_error', runId, turnId: 'own' });
    expect(below).toMatchObject({ traceId: own.traceId, links: [] });
    await assertBelow(below, 'POST', EVENTS);
  });
});

function status(phase: string, more: object = {}): EventInput {
  return { type: 'backend_status', payload: { phase, ...more } };
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner } from '../../helpers/manager-client.ts';
import { resultScenes, tool } from './result-scenes.ts';
import { newSessionId, ofSession, placedUnderWay, text, underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const { result, phase } = resultScenes(() => manager);

const DIFF = '--- a/a.txt\n+++ b/a.txt\n@@ -1 +1,2 @@\n-one\n+two\n+three\n';

describe('the result', () => {
  it('has what the agent said, its usage and its changes, of the newest turn', async () => {
    const { runId, turn, runner } = await underWay(manager);
    await runner.append([text(turn.id, 'First.'), text(turn.id, 'Second.')], 1);
    await runner.append([{ type: 'usage', payload: { commandId: turn.id, inputTokens: 5, outputTokens: 7 } }]);
    await runner.append([
      {
        type: 'file_change',
        payload: { commandId: turn.id, path: 'a.txt', diff: DIFF },
      },
    ]);
    await runner.report(turn.id, 'completed', { threadId: 'thread-1', turnId: 'turn-1' });
    expect(await result(runId)).toMatchObject({
      runId,
      commandId: turn.id,
      status: 'claimed',
      terminalStatus: null,
      threadId: 'thread-1',
      turnId: 'turn-1',
      output: { text: 'First.\n\nSecond.', truncated: false },
      usage: { inputTokens: 5, outputTokens: 7 },
      changes: { files: 1, insertions: 2, deletions: 1, patchBytes: DIFF.length },
      terminalClassification: { category: 'success', confidence: 'high' },
      valuesPrinted: false,
    });
    expect(await result(runId, turn.id)).toMatchObject({ status: 'completed', terminalStatus: 'completed' });
    const second = await manager.turn(runId);
    expect(await result(runId)).toMatchObject({ commandId: second.id, output: null, usage: null });
    expect(await manager.ask('GET', `runs/${runId}/result?commandId=${turn.id}`)).toMatchObject({
      commandId: turn.id,
      output: { text: 'First.\n\nSecond.' },
    });
  });

  it('has at most 64 KiB of output, and says when there was more', async () => {
    const { runId, turn, runner } = await underWay(manager);
    for (let index = 0; index < 3; index += 1) await runner.append([text(turn.id, '字'.repeat(10_000))]);
    const { output } = await result(runId);
    expect(output?.truncated).toBe(true);
    expect(Buffer.byteLength(output?.text ?? '')).toBeLessThanOrEqual(64 * 1024);
  });

  it('keeps nothing of a command of another run', async () => {
    const [one, two] = [await underWay(manager), await underWay(manager)];
    await one.runner.append([text(two.turn.id, 'forged')]);
    expect((await result(two.runId)).output).toBeNull();
  });

  it("of a run that ended otherwise than its last turn is the run's", async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    await runner.report(turn.id);
    await manager.ask('POST', `runs/${runId}/cancel`, { reason: 'enough' });
    await runner.release();
    expect(await result(runId)).toMatchObject({
      terminalStatus: 'cancelled',
      failureMessage: 'enough',
      terminalClassification: { category: 'cancelled', reason: 'enough' },
      liveness: { recoveryActions: [{ action: 'resend-turn' }, { action: 'inspect' }] },
    });
    expect(await result(runId, turn.id)).toMatchObject({
      terminalStatus: 'completed',
      terminalClassification: { category: 'success' },
      liveness: { recoveryActions: [] },
    });
  });

  it.each([
    ['completed', undefined, 'success', null],
    ['cancelled', 'cancelled', 'cancelled', null],
    ['blocked', 'provider-auth-failed', 'auth', null],
    ['blocked', 'provider-quota', 'quota', null],
    ['failed', 'provider-unavailable', 'provider', null],
    ['failed', 'provider-rate-limited', 'provider', null],
    ['failed', 'turn-timeout', 'timeout', 'turn'],
    ['failed', 'turn-idle-timeout', 'timeout', 'idle'],
    ['blocked', 'context-overflow', 'agent-error', null],
    ['blocked', 'approval-required', 'agent-error', null],
    ['failed', 'backend-crashed', 'agent-error', null],
    ['failed', 'backend-protocol', 'agent-error', null],
    ['blocked', 'resource-bundle-invalid', 'infra', null],
    ['blocked', 'profile-invalid', 'infra', null],
    ['failed', 'disk-full', 'infra', null],
    ['failed', 'infra-failed', 'infra', null],
    ['blocked', 'outcome-unknown', 'unknown', null],
  ])('%s with %s is of category %s', async (status, failureKind, category, timeoutKind) => {
    const { runId, turn, runner } = await underWay(manager);
    await runner.report(
      turn.id,
      status,
      failureKind === undefined ? {} : { failureKind, failureMessage: 'what happened' },
    );
    const { terminalClassification } = await result(runId, turn.id);
    const isProvider = ['auth', 'quota', 'provider'].includes(category);
    expect(terminalClassification).toMatchObject({
      category,
      confidence: category === 'unknown' ? 'low' : 'high',
      timeoutKind,
      hardTimeout: timeoutKind === 'turn',
      idleTimeout: timeoutKind === 'idle',
      providerInterruption: isProvider,
      providerInterruptionReason: isProvider ? 'what happened' : null,
      reason: failureKind === undefined ? null : 'what happened',
    });
  });

  it.each([
    ['blocked', 'provider-auth-failed', ['validate-profile', 'resend-turn', 'inspect']],
    ['blocked', 'profile-invalid', ['validate-profile', 'resend-turn', 'inspect']],
    ['failed', 'disk-full', ['refresh-storage', 'resend-turn', 'inspect']],
    ['failed', 'backend-crashed', ['resend-turn', 'inspect']],
    ['completed', undefined, []],
  ])('%s with %s can be followed by %j', async (status, failureKind, actions) => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    await runner.report(
      turn.id,
      status,
      failureKind === undefined ? {} : { failureKind, failureMessage: 'x'.repeat(500) },
    );
    await runner.release();
    const { recoveryActions } = (await result(runId)).liveness;
    expect(recoveryActions.map(({ action }) => action)).toEqual(actions);
    for (const action of recoveryActions) expect(action.failureMessage?.length ?? 0).toBeLessThanOrEqual(220);
  });

  it('tells of a retry that the runner told of', async () => {
    const { runId, turn, runner } = await underWay(manager);
    await runner.append([{ type: 'retry', payload: { commandId: turn.id, failureKind: 'provider-rate-limited' } }]);
    const { lastSeq } = await manager.run(runId);
    await runner.report(turn.id);
    expect((await result(runId)).terminalClassification).toMatchObject({
      retryInterruptionObserved: true,
      retryInterruptionSeq: lastSeq,
      retryInterruptionKind: 'provider-rate-limited',
    });
  });

  it('has the diagnosis of a turn whose runner was lost', async () => {
    const { runId, turn, runner } = await placedUnderWay(manager);
    await runner.append([tool('tool_begin', turn.id)]);
    const { lastSeq } = await manager.run(runId);
    manager.placement.exit(runner.attemptId);
    await expect.poll(() => phase(runId)).toBe('terminal');
    expect(await result(runId)).toMatchObject({
      failureKind: 'outcome-unknown',
      diagnosis: { openToolCalls: [{ itemId: 'item-1', toolName: 'shell' }], threadId: null },
      terminalClassification: { category: 'unknown' },
    });
    expect((await result(runId)).diagnosis?.['lastSeq']).toBe(lastSeq);
  });

  it('of what there is not is 404', async () => {
    const { id } = await manager.createRun();
    for (const path of [
      'runs/run_none/result',
      `runs/${id}/commands/cmd_none/result`,
      `runs/${id}/result?commandId=cmd_none`,
    ]) {
      expect(await manager.request('GET', path)).toMatchObject({ status: 404, failureKind: 'not-found' });
    }
  });

  it('waits for no runner that is not there', async () => {
    const { id: runId } = await manager.createRun();
    const runner = await externalRunner(manager, runId);
    await runner.claim();
    expect(await result(runId)).toMatchObject({
      commandId: null,
      status: 'claimed',
      output: null,
      liveness: { phase: 'idle' },
    });
  });
});

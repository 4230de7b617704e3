import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { placedRunner, RUN_INPUT } from '../../helpers/manager-client.ts';

const KEY = 'provider-key-that-nobody-may-see-0123456789';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const names = async () =>
  (await manager.ask<{ items: { name: string }[] }>('GET', 'provider-profiles')).items.map(({ name }) => name);

describe('provider profiles', () => {
  it('are those that AgentRun ships, until somebody adds one', async () => {
    expect(await names()).toEqual(['codex', 'command', 'deepseek', 'demo', 'minimax-m3']);
    await manager.ask('PUT', 'provider-profiles/my-agent/config', {
      backend: 'command',
      command: ['my-agent', '--json'],
    });
    expect(await names()).toContain('my-agent');
    expect(await manager.ask('DELETE', 'provider-profiles/my-agent')).toMatchObject({
      action: 'provider-profile-removed',
    });
    expect(await names()).not.toContain('my-agent');
  });

  it('are restored when what was changed is removed', async () => {
    const before = await manager.ask('GET', 'provider-profiles/demo/config');
    await manager.ask('PUT', 'provider-profiles/demo/config', { backend: 'command', command: ['other'] });
    expect(await manager.ask('GET', 'provider-profiles/demo/config')).toMatchObject({ config: { command: ['other'] } });
    expect(await manager.ask('DELETE', 'provider-profiles/demo')).toMatchObject({
      action: 'provider-profile-restored',
    });
    expect(await manager.ask('GET', 'provider-profiles/demo/config')).toEqual(before);
  });

  it('never tell their credential, and mask it wherever it turns up', async () => {
    const set = await manager.ask('PUT', 'provider-profiles/codex/credential', { kind: 'api-key', value: KEY });
    expect(set).toMatchObject({ configured: true, kind: 'api-key' });
    const shown = [
      await manager.ask('GET', 'provider-profiles'),
      await manager.ask('GET', 'provider-profiles/codex'),
      await manager.ask('GET', 'provider-profiles/codex/config'),
    ];
    expect(JSON.stringify([set, shown])).not.toContain(KEY);
    const run = await manager.createRun({ metadata: { note: `the key is ${KEY}` } });
    expect(JSON.stringify(run)).not.toContain(KEY);
    expect(manager.log.join('')).not.toContain(KEY);
    await manager.ask('PUT', 'provider-profiles/codex/credential', { kind: 'none' });
    expect(await manager.ask('GET', 'provider-profiles/codex')).toMatchObject({ credential: { configured: false } });
  });

  it('reach an attempt with their credential as a file', async () => {
    await manager.ask('PUT', 'provider-profiles/deepseek/credential', { kind: 'api-key', value: KEY });
    const { id: runId } = await manager.createRun({ backendProfile: 'deepseek' });
    const turn = await manager.turn(runId);
    await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    const start = await manager.placement.nextStart();
    expect(start.profile).toMatchObject({ name: 'deepseek', credential: { kind: 'api-key' } });
    expect(start.credential).toEqual({ 'api-key': KEY });
    await manager.ask('POST', `runs/${runId}/cancel`);
  });

  it.each([
    ['a backend that this version does not drive', { backend: 'acp', command: ['x'] }, 'body.backend'],
    ['a backend that nobody knows', { backend: 'other' }, 'body.backend'],
    ['a command without a program', { backend: 'command' }, 'body.command'],
    ['a secret among the variables', { backend: 'codex', env: { MY_TOKEN: 'x' } }, 'body.env.MY_TOKEN'],
    ['a variable of ours', { backend: 'codex', env: { AGENTRUN_X: 'x' } }, 'body.env.AGENTRUN_X'],
    ['an unknown field', { backend: 'codex', modle: 'x' }, 'body.modle'],
  ])('refuse %s', async (_what, config, path) => {
    const answer = await manager.request('PUT', 'provider-profiles/mine/config', config);
    expect(answer).toMatchObject({ status: 400, failureKind: 'schema-invalid' });
    expect(answer.error?.details['errors']).toMatchObject([{ path }]);
  });

  it('are not found when there are none of the name', async () => {
    for (const [method, path] of [
      ['GET', 'provider-profiles/none'],
      ['GET', 'provider-profiles/none/config'],
      ['DELETE', 'provider-profiles/none'],
      ['POST', 'provider-profiles/none/validate'],
      ['GET', 'provider-profiles/codex/validations/run_none'],
    ] as const) {
      expect(await manager.request(method, path)).toMatchObject({ status: 404, failureKind: 'not-found' });
    }
    expect(await manager.request('GET', 'provider-profiles/No_Name')).toMatchObject({ status: 400 });
    expect(await manager.request('POST', 'runs', { ...RUN_INPUT, backendProfile: 'none' })).toMatchObject({
      status: 400,
    });
  });

  it('are validated by a turn of their own', async () => {
    const begun = await manager.ask<{ validationId: string }>('POST', 'provider-profiles/demo/validate');
    expect(begun).toMatchObject({ status: 'running', profile: 'demo' });
    const path = `provider-profiles/demo/validations/${begun.validationId}`;
    const start = await manager.placement.nextStart();
    const runner = placedRunner(manager, start);
    await runner.claim();
    const { items } = (await runner.next()).data;
    const [turn] = items;
    await runner.ack(turn?.id ?? '');
    await runner.report(turn?.id ?? '', 'completed');
    expect(await manager.ask('GET', path)).toMatchObject({
      status: 'passed',
      failureKind: null,
      checks: [{ ok: true }, { ok: true }, { ok: true }],
    });
    expect(await manager.request('GET', `provider-profiles/codex/validations/${begun.validationId}`)).toMatchObject({
      status: 404,
    });
  });

  it('say why a validation failed', async () => {
    const { validationId } = await manager.ask<{ validationId: string }>('POST', 'provider-profiles/codex/validate');
    const runner = placedRunner(manager, await manager.placement.nextStart());
    await runner.claim();
    await runner.finish('blocked', { failureKind: 'profile-invalid', failureMessage: 'codex is not installed' });
    expect(await manager.ask('GET', `provider-profiles/codex/validations/${validationId}`)).toMatchObject({
      status: 'failed',
      failureKind: 'profile-invalid',
      failureMessage: 'codex is not installed',
      checks: [
        { name: 'runner-started', ok: true },
        { name: 'run-claimed', ok: true },
        { name: 'turn-completed', ok: false },
      ],
    });
  });

  it('belong to backends, which say what they can do', async () => {
    const { items } = await manager.ask<{ items: { backend: string }[] }>('GET', 'backends');
    expect(items.find(({ backend }) => backend === 'codex')).toMatchObject({ available: true, steer: true });
    expect(items.find(({ backend }) => backend === 'acp')).toMatchObject({ available: false, profiles: [] });
  });
});

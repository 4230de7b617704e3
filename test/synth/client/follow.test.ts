import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner, type ScriptedRunner } from '../../helpers/manager-client.ts';
import { agentrun } from './agentrun.ts';
import { type CutProxy, cutProxy, UNAVAILABLE } from './cut-proxy.ts';

let manager: TestManager;
let wire: CutProxy;
let runner: ScriptedRunner;
let commandId: string;
/** Sessions of the profile demo so far. */
let made = 0;

beforeAll(async () => {
  manager = await testManager({ config: { staleHeartbeatFencingMs: 120_000 } });
});
afterAll(() => manager.stop());

beforeEach(async () => {
  wire = await cutProxy(manager.url);
  const { id } = await manager.createRun();
  ({ id: commandId } = await manager.turn(id));
  runner = await externalRunner(manager, id);
  await runner.claim();
  await runner.ack(commandId);
  return () => wire.close();
});

const env = () => ({ AGENTRUN_URL: wire.url, AGENTRUN_API_KEY: manager.key });
const following = (...args: string[]) => agentrun(['logs', runner.runId, '-f', '-o', 'json', ...args], { env: env() });

/** Appends so many events, each with a text of its own. */
async function say(count: number, size = 10): Promise<void> {
  const text = 'x'.repeat(size);
  const events = Array.from({ length: count }, (_, index) => ({
    type: 'assistant_delta' as const,
    payload: { commandId, itemId: 'm', text: `${index} ${text} ` },
  }));
  expect((await runner.append(events)).ok).toBe(true);
}

async function finish(): Promise<void> {
  await runner.report(commandId);
  await runner.release();
}

/** The events that were printed; each line is a whole one. */
const printed = (stdout: string): unknown[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
const whole = () => manager.events(runner.runId);

describe('following a run', () => {
  it('goes on after a connection that was cut, with no event twice and none missing', async () => {
    const logs = following();
    await say(5);
    await expect.poll(() => logs.stdout).toContain('4 xxx');
    wire.cut();
    await say(5);
    await finish();
    expect((await logs).code).toBe(0);
    expect(printed(logs.stdout)).toEqual(await whole());
    expect(logs.stderr).toContain('(the connection to the manager is lost: ');
    expect(logs.stderr).toContain('(connected again)');
    expect(wire.connections).toBeGreaterThan(1);
  });

  it('does so wherever within an event the connection is cut', async () => {
    await say(30, 300);
    // Less than the whole log at a time, so that each connection ends somewhere in an event.
    wire.cutAfter = 6000;
    const logs = following();
    await finish();
    expect((await logs).code).toBe(0);
    expect(printed(logs.stdout)).toEqual(await whole());
    expect(wire.connections).toBeGreaterThan(2);
  });

  it('goes on with another manager when the first one stops', async () => {
    const second = await testManager({ database: manager.database, config: { staleHeartbeatFencingMs: 120_000 } });
    const first = await testManager({ database: manager.database, config: { staleHeartbeatFencingMs: 120_000 } });
    wire.target = first.url;
    try {
      const logs = following();
      await say(5);
      await expect.poll(() => logs.stdout).toContain('4 xxx');
      await first.stop();
      await say(3);
      wire.answer = UNAVAILABLE;
      await expect.poll(() => logs.stderr).toContain('is lost');
      wire.target = second.url;
      wire.answer = null;
      await say(5);
      await finish();
      expect((await logs).code).toBe(0);
      expect(printed(logs.stdout)).toEqual(await whole());
    } finally {
      await second.stop();
    }
  });

  it('finds a manager of this machine again that came back on another port', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'agentrun-follow-'));
    const other = await cutProxy(manager.url);
    const tell = (url: string) =>
      writeFileSync(join(folder, 'client.json'), JSON.stringify({ url, apiKeyFile: join(folder, 'key') }));
    try {
      writeFileSync(join(folder, 'key'), manager.key);
      tell(wire.url);
      const logs = agentrun(['logs', runner.runId, '-f', '-o', 'json', '--data-dir', folder]);
      await say(5);
      await expect.poll(() => logs.stdout).toContain('4 xxx');
      // A manager that stops takes the file away.
      rmSync(join(folder, 'client.json'));
      await wire.close();
      await expect.poll(() => logs.stderr).toContain('is lost');
      tell(other.url);
      await finish();
      expect((await logs).code).toBe(0);
      expect(printed(logs.stdout)).toEqual(await whole());
      expect(other.connections).toBeGreaterThan(0);
    } finally {
      wire = other;
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('waits for the outcome of a turn through all of that', async () => {
    await runner.report(commandId);
    const { sessionId } = await manager.ask<{ sessionId: string }>('POST', 'sessions/sess_wait/send', {
      prompt: 'x',
      run: { tenantId: 't', projectId: 'p', backendProfile: 'codex' },
      createRunnerJob: false,
    });
    const sending = agentrun(['send', sessionId, 'then this', '--wait', '--no-runner'], { env: env() });
    await expect.poll(() => sending.stderr).toContain('run run_');
    const runId = /run_\w+/.exec(sending.stderr)?.[0] ?? '';
    const other = await externalRunner(manager, runId);
    await other.claim();
    for (const state of ['first', 'second'] as const) {
      wire.cut();
      if (state === 'second') wire.answer = UNAVAILABLE;
      const { items } = (await other.next()).data;
      await other.ack(items[0]?.id ?? '');
      await other.report(items[0]?.id ?? '', 'blocked', { failureKind: 'provider-quota' });
    }
    wire.answer = null;
    expect((await sending).code).toBe(4);
    expect(sending.stdout.match(/^> then this$/gm)).toHaveLength(1);
  });

  it('gives up when the manager stays away for too long', async () => {
    const logs = following('--reconnect-for', '2');
    await expect.poll(() => logs.stdout).toContain('run-created');
    wire.answer = UNAVAILABLE;
    wire.cut();
    expect((await logs).code).toBe(5);
    const { error } = JSON.parse(logs.stdout.slice(logs.stdout.lastIndexOf('\n{\n'))) as { error: { code: string } };
    expect(error.code).toBe('manager-unreachable');
  });

  it('follows a session over its runs, until it is idle', async () => {
    await finish();
    await manager.ask('POST', 'sessions/sess_two/send', {
      prompt: 'one',
      run: { tenantId: 't', projectId: 'p', backendProfile: 'codex' },
      createRunnerJob: false,
    });
    const logs = agentrun(['logs', 'sess_two', '-f', '--until-idle', '-o', 'json'], { env: env() });
    const runId = (await manager.ask<{ activeRunId: string }>('GET', 'sessions/sess_two')).activeRunId;
    const own = await externalRunner(manager, runId);
    await own.claim();
    const turn = (await own.next()).data.items[0]?.id ?? '';
    await own.ack(turn);
    await expect.poll(() => logs.stdout).toContain('command-acknowledged');
    wire.cut();
    await own.report(turn);
    expect((await logs).code).toBe(0);
    const events = await manager.events(runId);
    expect(printed(logs.stdout)).toEqual(events);
  });
});

describe('a manager that is not there', () => {
  it('is told at once, with 5', async () => {
    await wire.close();
    const { code, stderr } = await agentrun(['runs'], { env: env() });
    expect(code).toBe(5);
    expect(stderr).toContain(`error[manager-unreachable] no manager answers at ${wire.url}: ECONNREFUSED`);
    wire = await cutProxy(manager.url);
  });

  it('is waited for while it only stops', async () => {
    wire.answer = UNAVAILABLE;
    const runs = agentrun(['runs'], { env: env() });
    await expect.poll(() => wire.connections).toBeGreaterThan(0);
    wire.answer = null;
    expect((await runs).code).toBe(0);
  });

  it.each([
    ['the session', /^POST \/api\/v1\/sessions /],
    ['the text', /^POST \/api\/v1\/sessions\/\S+\/send /],
  ])('makes %s once, though the answer was lost', async (_what, request) => {
    wire.loseAnswerTo = request;
    const args = ['run', 'x', '--profile', 'demo', '--no-runner', '--no-wait', '-o', 'json'];
    const { code, stdout } = await agentrun(args, { env: env() });
    expect({ code, lost: wire.loseAnswerTo }).toEqual({ code: 0, lost: null });
    const { sessionId, runId } = JSON.parse(stdout) as { sessionId: string; runId: string };
    const { items } = await manager.ask<{ items: { id: string }[] }>('GET', `runs?sessionId=${sessionId}`);
    expect(items).toMatchObject([{ id: runId }]);
    expect((await manager.ask<{ items: object[] }>('GET', `runs/${runId}/commands`)).items).toHaveLength(1);
    const { items: sessions } = await manager.ask<{ items: object[] }>(
      'GET',
      'sessions?profile=demo&state=all&limit=200',
    );
    made += 1;
    expect(sessions).toHaveLength(made);
  });

  it('is told from a server that is none', async () => {
    wire.answer = 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>';
    const { code, stderr } = await agentrun(['runs'], { env: env() });
    expect(code).toBe(5);
    expect(stderr).toContain('error[answer-invalid]');
  });
});

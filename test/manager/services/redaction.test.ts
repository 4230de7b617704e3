import type { EventInput } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner, placedRunner, RUN_INPUT, type ScriptedRunner } from '../../helpers/manager-client.ts';
import { plantedSecrets } from '../../helpers/planted-secrets.ts';
import { newSessionId, ofSession } from './scenes.ts';

/** Secrets that are whole words, so that each may stand in any text. */
const WORDS = plantedSecrets(2, 7).filter(
  ({ text, secret }) => text === secret && !text.includes('\n') && !text.includes('\\'),
);
let taken = 0;
function newSecret(): string {
  taken += 1;
  const planted = WORDS[taken - 1];
  if (planted === undefined) throw new Error('no secret is left to be planted');
  return planted.secret;
}

let manager: TestManager;
/** All that anybody but the lease holder was answered, and the streams. */
const shown: string[] = [];

beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

/** A request of the operator, whose answer is looked at as it is. */
async function look(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await fetch(`${manager.url}${path.startsWith('/') ? path : `/api/v1/${path}`}`, {
    method,
    headers: { authorization: `Bearer ${manager.key}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  shown.push(answer);
  return answer;
}

/** Everything that can be read of a run and a session. */
async function lookAround(runId: string, sessionId: string): Promise<void> {
  const { items } = await manager.ask<{ items: { id: string }[] }>('GET', `runs/${runId}/commands?limit=100`);
  const jobs = await manager.ask<{ items: { id: string }[] }>('GET', `runs/${runId}/runner-jobs`);
  const paths = [
    'runs?limit=200',
    'runners?limit=200',
    `runs/${runId}`,
    `runs/${runId}/events?limit=500`,
    `runs/${runId}/commands?limit=100`,
    `runs/${runId}/result`,
    `runs/${runId}/runner-jobs`,
    ...jobs.items.map(({ id }) => `runs/${runId}/runner-jobs/${id}`),
    ...items.flatMap(({ id }) => [`runs/${runId}/commands/${id}`, `runs/${runId}/commands/${id}/result`]),
    'sessions?limit=200&state=all',
    `sessions/${sessionId}`,
    `sessions/${sessionId}/trace?limit=500`,
    `sessions/${sessionId}/output?limit=500`,
    `sessions/${sessionId}/storage`,
    'doctor',
    '/health',
    '/metrics',
    '/openapi.json',
  ];
  for (const path of paths) await look('GET', path);
}

const secretsIn = (texts: readonly string[], secrets: Readonly<Record<string, string>>) =>
  Object.entries(secrets).flatMap(([place, secret]) =>
    texts.filter((text) => text.includes(secret)).map((text) => `${place}: ${text.slice(0, 300)}`),
  );

describe('secrets in what is asked for', () => {
  it('reach the agent whole and nobody else: no answer, no event, no stream, no line of the log', async () => {
    const secrets = {
      prompt: newSecret(),
      attachment: newSecret(),
      commandMetadata: newSecret(),
      url: newSecret(),
      file: newSecret(),
      instructions: newSecret(),
      bundlePrompt: newSecret(),
      skill: newSecret(),
      runMetadata: newSecret(),
    };
    const ofTheSession = { sessionMetadata: newSecret() };
    const sessionId = newSessionId();
    await look('POST', 'sessions', {
      sessionId,
      tenantId: 'tenant',
      projectId: 'project',
      metadata: { note: `mind ${ofTheSession.sessionMetadata}` },
    });
    const key = { 'idempotency-key': 'redacted too' };
    const run = {
      ...RUN_INPUT,
      ...ofSession(sessionId),
      metadata: { deep: [{ token: secrets.runMetadata }] },
      resourceBundleRef: {
        repositories: [{ url: `https://bot:${secrets.url}@git.example/a.git`, commit: 'a'.repeat(40), path: 'a' }],
        files: [{ path: '.env', content: `KEY=${secrets.file}` }],
        prompts: [{ name: 'p', content: `use ${secrets.bundlePrompt}` }],
        instructions: `log in with ${secrets.instructions}`,
        skills: [{ name: 's', files: [{ path: 'SKILL.md', content: secrets.skill }] }],
      },
    };
    const created = await look('POST', 'runs', run, key);
    expect(await look('POST', 'runs', run, key)).toContain((JSON.parse(created) as { data: { id: string } }).data.id);
    const { id: runId } = (JSON.parse(created) as { data: { id: string } }).data;
    const payload = {
      prompt: `deploy with ${secrets.prompt}\nand go on`,
      attachments: [{ kind: 'text', text: secrets.attachment }],
      metadata: { header: `Authorization: Bearer ${secrets.commandMetadata}` },
    };
    const made = await look('POST', `runs/${runId}/commands`, { type: 'turn', payload });
    await look('POST', `sessions/${sessionId}/send`, { dryRun: true, payload });
    await look('POST', `sessions/${sessionId}/send`, { payload, ifBusy: 'queue', createRunnerJob: false });
    const { id: turnId } = (JSON.parse(made) as { data: { id: string } }).data;

    const runner = await externalRunner(manager, runId);
    const forHolder = [
      JSON.stringify(await runner.claim()),
      JSON.stringify(await runner.next()),
      JSON.stringify(await runner.beat()),
    ];
    await runner.ack(turnId);
    for (const [place, secret] of Object.entries(secrets))
      expect({ place, isWhole: forHolder.join().includes(secret) }).toEqual({ place, isWhole: true });
    await lookAround(runId, sessionId);

    await look('POST', `sessions/${sessionId}/control`, { action: 'interrupt' });
    await look('POST', `sessions/${sessionId}/control`, { action: 'cancel' });
    await runner.report(turnId, 'cancelled');
    for (const after of [
      await runner.release(),
      await runner.release(),
      await runner.finish(),
      await runner.beat(),
      await runner.report(turnId),
      await runner.next(),
    ]) {
      shown.push(JSON.stringify(after));
    }
    await look('POST', 'sessions', { sessionId, tenantId: 'tenant', projectId: 'project' });
    for (const path of [`runs/${runId}/events`, `sessions/${sessionId}/trace?until=idle`])
      await look('GET', path, undefined, { accept: 'text/event-stream' });
    await look('DELETE', `sessions/${sessionId}/storage`);
    await lookAround(runId, sessionId);
    expect(secretsIn([...shown, ...manager.log], { ...secrets, ...ofTheSession })).toEqual([]);
  });

  it('are in no answer to a request that is refused', async () => {
    const secret = newSecret();
    const { id } = await manager.createRun();
    const before = shown.length;
    await look('POST', 'runs', { ...RUN_INPUT, providerId: [secret] });
    await look('POST', 'runs', { ...RUN_INPUT, [secret]: 1 });
    await look('POST', 'runs', { ...RUN_INPUT, backendProfile: secret });
    await look('POST', `runs/${id}/commands`, { type: secret, payload: { prompt: 'x' } });
    await look('POST', `runs/${id}/commands`, { type: 'turn', payload: { prompt: [secret] } });
    await look('GET', `runs?status=${encodeURIComponent(secret)}`);
    await look('GET', `runs?cursor=${encodeURIComponent(secret)}`);
    await look('GET', `sessions?backendProfile=${encodeURIComponent(secret)}`);
    await look('POST', 'runs', RUN_INPUT, { 'idempotency-key': secret });
    await look('POST', 'runs', { ...RUN_INPUT, providerId: 'other' }, { 'idempotency-key': secret });
    expect(shown.length - before).toBe(10);
    expect(secretsIn([...shown, ...manager.log], { secret })).toEqual([]);
    const ofPath = await look('GET', `runs/${encodeURIComponent(secret)}`);
    expect(JSON.parse(ofPath)).toMatchObject({ status: 404, message: 'there is no run [secret]' });
    expect(secretsIn(shown, { secret })).toEqual([]);
  });
});

describe('secrets in what a runner tells', () => {
  async function under(sessionId: string): Promise<{ runner: ScriptedRunner; runId: string; turnId: string }> {
    const { id: runId } = await manager.createRun(ofSession(sessionId));
    const turn = await manager.turn(runId);
    await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    const runner = placedRunner(manager, await manager.placement.nextStart());
    return { runner, runId, turnId: turn.id };
  }

  it('are in no event and no result: in texts, in names, and where a text was cut', async () => {
    const secrets = {
      text: newSecret(),
      key: newSecret(),
      deep: newSecret(),
      usage: newSecret(),
      atTheCut: newSecret(),
    };
    const sessionId = newSessionId();
    const { runner, runId, turnId } = await under(sessionId);
    await runner.claim();
    await runner.ack(turnId);
    const half = 32 * 1024 - 32;
    const events: EventInput[] = [
      { type: 'assistant_message', payload: { commandId: turnId, text: `the key is ${secrets.text}.` } },
      {
        type: 'tool_begin',
        payload: { commandId: turnId, arguments: { list: [`--key=${secrets.deep}`], [secrets.key]: 1 } },
      },
      { type: 'usage', payload: { commandId: turnId, model: secrets.usage } },
    ];
    await runner.append(events);
    for (let shift = 0; shift < secrets.atTheCut.length; shift += 7) {
      const before = 'word '.repeat(half).slice(0, half - shift - 1);
      await runner.append([
        {
          type: 'tool_output',
          payload: { commandId: turnId, text: `${before} ${secrets.atTheCut} ${'word '.repeat(20_000)}` },
        },
      ]);
    }
    await lookAround(runId, sessionId);
    expect(secretsIn([...shown, ...manager.log], secrets)).toEqual([]);
    const half12 = secrets.atTheCut.slice(0, 12);
    expect(secretsIn([...shown, ...manager.log], { half12 })).toEqual([]);
  });

  it('are in no failure, no reason, no thread and no description of a runner', async () => {
    const secrets = {
      failure: newSecret(),
      thread: newSecret(),
      reason: newSecret(),
      runReason: newSecret(),
      metadata: newSecret(),
      runFailure: newSecret(),
    };
    const sessionId = newSessionId();
    const { runner, runId, turnId } = await under(sessionId);
    shown.push(
      JSON.stringify(
        await runner.send('POST', 'runners/register', { runId, metadata: { env: `TOKEN=${secrets.metadata}` } }),
      ),
    );
    await runner.claim();
    await runner.ack(turnId);
    const waiting = await manager.turn(runId);
    await look('POST', `commands/${waiting.id}/cancel`, { reason: `uses ${secrets.reason}` });
    await runner.report(turnId, 'failed', {
      failureKind: 'backend-crashed',
      failureMessage: `401 for ${secrets.failure}`,
      threadId: secrets.thread,
    });
    await look('POST', `runs/${runId}/cancel`, { reason: `leaks ${secrets.runReason}` });
    await runner.finish('failed', { failureMessage: secrets.runFailure });
    await lookAround(runId, sessionId);
    expect(secretsIn([...shown, ...manager.log], secrets)).toEqual([]);
    expect((await manager.run(runId)).cancelReason).toMatch(/^leaks /);
  });

  it('are not in the last lines of a runner that died', async () => {
    const secrets = { logTail: newSecret(), earlier: newSecret() };
    const sessionId = newSessionId();
    const { runner, runId } = await under(sessionId);
    await runner.claim();
    manager.placement.exit(runner.attemptId, {
      logTail: `using ${secrets.earlier}\nfatal: key ${secrets.logTail} was refused\n`,
    });
    const reason = async () =>
      (await manager.events(runId)).find(({ payload }) => payload?.['phase'] === 'attempt-lost')?.payload?.['reason'];
    await expect.poll(reason).toContain('fatal: key');
    await lookAround(runId, sessionId);
    expect(secretsIn([...shown, ...manager.log], secrets)).toEqual([]);
  });
});

it('never shows the API key and the token of an attempt, but once', async () => {
  const { id: runId } = await manager.createRun();
  const runner = await externalRunner(manager, runId);
  await runner.claim();
  await manager.turn(runId, `my key is ${manager.key}, my token ${runner.token}`);
  await look('GET', `runs/${runId}/commands`);
  await look('GET', `runners?runId=${runId}`);
  await runner.append([{ type: 'assistant_message', payload: { text: `${manager.key} ${runner.token}` } }]);
  await look('GET', `runs/${runId}/events`);
  expect(secretsIn([...shown, ...manager.log], { key: manager.key, token: runner.token })).toEqual([]);
  const { rows } = await manager.running.serving.pool.query<{ all: string }>(
    'SELECT json_agg(a)::text AS all FROM agentrun_attempts a',
  );
  expect(rows[0]?.all).not.toContain(runner.token);
});

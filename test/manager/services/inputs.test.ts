import { PROMPT_BYTES } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner, RUN_INPUT } from '../../helpers/manager-client.ts';
import { newSessionId, refusedPlace } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const DAY_MS = 86_400_000;
const COMMIT = 'a'.repeat(40);
const post = (body: object) => manager.request('POST', 'runs', { ...RUN_INPUT, ...body });

/** The path that a refusal names first. */
async function refusedPath(body: object): Promise<unknown> {
  const { status, failureKind, error } = await post(body);
  expect({ status, failureKind }).toEqual({ status: 400, failureKind: 'schema-invalid' });
  return refusedPlace(error);
}

/** The prompt of a run's turn as its runner gets it. */
async function delivered(runId: string): Promise<string | undefined> {
  const runner = await externalRunner(manager, runId);
  await runner.claim();
  return (await runner.next()).data.items[0]?.payload.prompt;
}

describe('the policy of a run', () => {
  it('has a default for everything but the sandbox, which the placement decides', async () => {
    expect((await manager.createRun()).executionPolicy).toEqual({
      oneShot: false,
      maxAttempts: 3,
      runTimeoutMs: null,
      turnTimeoutMs: 3_600_000,
      idleEventTimeoutMs: 600_000,
      pendingTimeoutMs: DAY_MS,
      approvals: 'never',
      network: true,
    });
  });

  it('keeps what is given', async () => {
    const executionPolicy = {
      oneShot: true,
      maxAttempts: 20,
      runTimeoutMs: 31_536_000_000,
      turnTimeoutMs: 1,
      idleEventTimeoutMs: 5,
      pendingTimeoutMs: DAY_MS,
      sandbox: 'read-only',
      approvals: 'decline',
      network: false,
    };
    const { id } = await manager.createRun({ executionPolicy });
    expect((await manager.run(id)).executionPolicy).toEqual(executionPolicy);
  });

  it.each([
    [{ maxAttempts: 0 }, 'maxAttempts'],
    [{ maxAttempts: 21 }, 'maxAttempts'],
    [{ maxAttempts: 1.5 }, 'maxAttempts'],
    [{ runTimeoutMs: 0 }, 'runTimeoutMs'],
    [{ turnTimeoutMs: null }, 'turnTimeoutMs'],
    [{ turnTimeoutMs: 31_536_000_001 }, 'turnTimeoutMs'],
    [{ idleEventTimeoutMs: '5' }, 'idleEventTimeoutMs'],
    [{ sandbox: 'none' }, 'sandbox'],
    [{ approvals: 'ask' }, 'approvals'],
    [{ network: 'yes' }, 'network'],
    [{ oneShot: null }, 'oneShot'],
    [{ retries: 3 }, 'retries'],
  ])('refuses %j by the name of the field', async (executionPolicy, field) => {
    expect(await refusedPath({ executionPolicy })).toBe(`body.executionPolicy.${field}`);
  });
});

describe('the input of a run', () => {
  it('is answered with all its fields, and with those that the manager adds', async () => {
    const input = {
      ...RUN_INPUT,
      traceSink: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
      metadata: { any: { thing: [1, 'two', null] } },
      resourceBundleRef: {
        repositories: [
          {
            url: 'https://git.example/a.git',
            commit: COMMIT,
            path: 'a',
            ref: 'main',
            depth: 1,
            submodules: true,
            credential: 'github-ssh',
          },
        ],
        files: [
          { path: 'notes/a.md', content: 'hello', mode: '0755' },
          { path: 'b.bin', contentBase64: 'AAEC' },
        ],
        prompts: [{ name: 'review', content: 'Look at it.' }],
        instructions: 'Be brief.',
        skills: [{ name: 'tidy', files: [{ path: 'SKILL.md', content: '# Tidy' }] }],
        onDirty: 'keep',
      },
    };
    const run = await manager.createRun(input);
    expect(run).toMatchObject({
      ...input,
      status: 'pending',
      terminalStatus: null,
      sessionRef: null,
      claimedBy: null,
      leaseEpoch: 0,
      attemptCount: 0,
      lastSeq: 1,
    });
    expect((await manager.events(run.id))[0]).toMatchObject({
      seq: 1,
      type: 'backend_status',
      payload: {
        phase: 'run-created',
        backendProfile: 'codex',
        resourceBundleRef: {
          repositories: [{ commit: COMMIT, path: 'a' }],
          files: 2,
          prompts: 1,
          skills: 1,
          hasInstructions: true,
        },
      },
    });
  });

  it.each([
    [{ tenantId: undefined }, 'body.tenantId'],
    [{ projectId: '  ' }, 'body.projectId'],
    [{ backendProfile: 'Codex' }, 'body.backendProfile'],
    [{ backendProfile: 'none-such' }, 'body.backendProfile'],
    [{ workspaceRef: { kind: 'volume' } }, 'body.workspaceRef.kind'],
    [{ workspaceRef: { kind: 'session' } }, 'body.workspaceRef.kind'],
    [{ workspaceRef: { kind: 'ephemeral', subPath: '../up' } }, 'body.workspaceRef.subPath'],
    [{ workspaceRef: { kind: 'ephemeral', subPath: '/abs' } }, 'body.workspaceRef.subPath'],
    [{ sessionRef: {} }, 'body.sessionRef.sessionId'],
    [{ sessionRef: { sessionId: '../x' } }, 'body.sessionRef.sessionId'],
    [{ sessionRef: { sessionId: 's', expiresAt: 'tomorrow' } }, 'body.sessionRef.expiresAt'],
    [
      { resourceBundleRef: { repositories: [{ url: 'u', commit: 'main', path: 'a' }] } },
      'body.resourceBundleRef.repositories[0].commit',
    ],
    [
      { resourceBundleRef: { repositories: [{ url: 'u', commit: COMMIT, path: '.' }] } },
      'body.resourceBundleRef.repositories[0].path',
    ],
    [{ resourceBundleRef: { files: [{ path: 'a/../../b', content: '' }] } }, 'body.resourceBundleRef.files[0].path'],
    [{ resourceBundleRef: { files: [{ path: 'a' }] } }, 'body.resourceBundleRef.files[0]'],
    [
      { resourceBundleRef: { files: [{ path: 'a', content: '', contentBase64: '' }] } },
      'body.resourceBundleRef.files[0]',
    ],
    [{ resourceBundleRef: { onDirty: 'ask' } }, 'body.resourceBundleRef.onDirty'],
    [{ traceSink: { traceparent: 'x' } }, 'body.traceSink.traceparent'],
    [{ surplus: 1 }, 'body.surplus'],
  ])('refuses %j', async (body, path) => {
    expect(await refusedPath(body)).toBe(path);
  });

  it('makes a session only together with the run', async () => {
    const sessionId = newSessionId();
    expect((await post({ sessionRef: { sessionId }, backendProfile: 'none-such' })).status).toBe(400);
    expect((await manager.request('GET', `sessions/${sessionId}`)).status).toBe(404);
  });
});

describe('a prompt', () => {
  it.each([
    ['quotes', '"'],
    ['lines', 'a line\r\n'],
    ['variables of a shell', '$$ $(x) ${HOME} `y` \\ '],
    ['characters of four bytes', '🦀'],
    ['characters of two bytes', 'ü'],
  ])('of 1 MiB of %s reaches the runner as it was written', async (_what, unit) => {
    const whole = unit.repeat(Math.floor(PROMPT_BYTES / Buffer.byteLength(unit)));
    const prompt = whole + 'x'.repeat(PROMPT_BYTES - Buffer.byteLength(whole));
    const { id } = await manager.createRun();
    await manager.turn(id, prompt);
    expect((await delivered(id)) === prompt).toBe(true);
  });

  it('may come with everything escaped that is not ASCII', async () => {
    const { id } = await manager.createRun();
    const response = await fetch(`${manager.url}/api/v1/runs/${id}/commands`, {
      method: 'POST',
      headers: { authorization: `Bearer ${manager.key}` },
      body: `{"type":"turn","payload":{"prompt":"${'\\u00fc'.repeat(PROMPT_BYTES / 2)}"}}`,
    });
    expect(response.status).toBe(200);
    expect((await delivered(id)) === 'ü'.repeat(PROMPT_BYTES / 2)).toBe(true);
  });

  it.each([
    ['one byte more', 'x'.repeat(PROMPT_BYTES + 1)],
    ['fewer characters but more bytes', 'ü'.repeat(PROMPT_BYTES / 2 + 1)],
  ])('of %s is refused, by a command and by a send', async (_what, prompt) => {
    const { id } = await manager.createRun();
    const refused = { status: 400, failureKind: 'schema-invalid' };
    const asked = await manager.request('POST', `runs/${id}/commands`, { type: 'turn', payload: { prompt } });
    expect(asked).toMatchObject({ ...refused, error: { details: { errors: [{ path: 'body.payload.prompt' }] } } });
    const sent = await manager.request('POST', `sessions/${newSessionId()}/send`, { prompt, run: RUN_INPUT });
    expect(sent).toMatchObject({ ...refused, error: { details: { errors: [{ path: 'body.prompt' }] } } });
  });

  it('is told in the log with its head and its tail when it is long', async () => {
    const { id } = await manager.createRun();
    const turn = await manager.turn(id, `BEGIN${'ü'.repeat(100_000)}END`);
    const runner = await externalRunner(manager, id);
    await runner.claim();
    await runner.ack(turn.id);
    const said = (await manager.events(id)).find(({ type }) => type === 'user_message');
    const { text, truncatedBytes } = (said?.payload ?? {}) as { text: string; truncatedBytes: number };
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64 * 1024);
    expect(text.startsWith('BEGINü')).toBe(true);
    expect(text.endsWith('üEND')).toBe(true);
    expect(truncatedBytes).toBeGreaterThan(200_000 - 64 * 1024);
  });

  it.each(['', '  ', '\n\t'])('of blanks is none: %j', async (prompt) => {
    const { id } = await manager.createRun();
    const answer = await manager.request('POST', `runs/${id}/commands`, { type: 'turn', payload: { prompt } });
    expect(answer).toMatchObject({ status: 400, failureKind: 'schema-invalid' });
  });

  it('gives its first line to the title of its session, whole characters of it', async () => {
    const sessionId = newSessionId();
    await manager.ask('POST', `sessions/${sessionId}/send`, {
      prompt: `${'x'.repeat(78)}🦀${'x'.repeat(10)}\nsecond line`,
      run: RUN_INPUT,
      createRunnerJob: false,
    });
    expect((await manager.ask('GET', `sessions/${sessionId}`))['title']).toBe(`${'x'.repeat(78)}…`);
  });
});

describe('a command', () => {
  it.each([
    [{ type: 'interrupt', payload: { prompt: 'x' } }, 'body.type'],
    [{ payload: { prompt: 'x' } }, 'body.type'],
    [{ type: 'turn' }, 'body.payload'],
    [{ type: 'turn', payload: {} }, 'body.payload.prompt'],
    [{ type: 'turn', payload: { prompt: 'x', more: 1 } }, 'body.payload.more'],
    [{ type: 'turn', payload: { prompt: 'x', attachments: ['a'] } }, 'body.payload.attachments[0]'],
    [{ type: 'steer', payload: { prompt: 'x' }, ifTurnEnded: 'queue' }, 'body.ifTurnEnded'],
  ])('%j is refused at %s', async (body, path) => {
    const { id } = await manager.createRun();
    const { status, error } = await manager.request('POST', `runs/${id}/commands`, body);
    expect(status).toBe(400);
    expect(refusedPlace(error)).toBe(path);
  });

  it('keeps attachments and metadata as they are', async () => {
    const { id } = await manager.createRun();
    const payload = {
      prompt: 'x',
      attachments: [{ kind: 'image', path: 'a.png' }],
      metadata: { deep: { list: [1, null] } },
    };
    const { id: commandId } = await manager.turn(id, '', { payload });
    expect((await manager.command(id, commandId)).payload).toEqual(payload);
  });

  it('is listed by its number, twenty at a time, each once', async () => {
    const { id } = await manager.createRun();
    for (let index = 0; index < 23; index += 1) await manager.turn(id, `turn ${index}`);
    const list = async (query: string) =>
      (await manager.ask<{ items: { seq: number }[] }>('GET', `runs/${id}/commands${query}`)).items.map(
        ({ seq }) => seq,
      );
    expect(await list('')).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(await list('?afterSeq=20')).toEqual([21, 22, 23]);
    expect(await list('?limit=100')).toHaveLength(23);
    const runner = await externalRunner(manager, id);
    await runner.claim();
    expect((await runner.next()).data.items).toHaveLength(20);
    expect((await runner.next(20)).data.items).toHaveLength(3);
  });

  it('is asked for under its own run only', async () => {
    const [one, two] = [await manager.createRun(), await manager.createRun()];
    const { id } = await manager.turn(one.id);
    for (const path of ['', '/result']) {
      expect(await manager.request('GET', `runs/${two.id}/commands/${id}${path}`)).toMatchObject({
        status: 404,
        failureKind: 'not-found',
      });
    }
    expect(await manager.request('GET', `runs/${two.id}/result?commandId=${id}`)).toMatchObject({ status: 404 });
  });
});

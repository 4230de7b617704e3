import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ATTEMPT_FILE } from '../../../lib/src/contract/attempt.ts';
import { type HostProcessOptions, openHostProcessPlacement } from '../../../manager/src/placement/host-process.ts';
import type { ExitEvent, Handle, Placement } from '../../../manager/src/placement/placement.ts';
import { PlacementError } from '../../../manager/src/placement/placement-error.ts';
import { fixture, newAttemptId } from '../../helpers/agent-process.ts';
import { attemptStart, CREDENTIAL, TOKEN } from '../../helpers/attempt-start.ts';
import { killAllWith, livingWith, until } from '../../helpers/living-processes.ts';

let folder: string;
let attemptId: string;
let placements: Placement[];
let exits: ExitEvent[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentrun-placement-'));
  attemptId = newAttemptId();
  placements = [];
  exits = [];
});
afterEach(async () => {
  for (const placement of placements) await placement.close({ leaveRunning: true });
  killAllWith(attemptId);
  rmSync(folder, { recursive: true, force: true });
});

const runner = (...role: string[]): string[] => [process.execPath, fixture('runner.mjs'), ...role];

async function open(runnerCommand: readonly string[], options: Partial<HostProcessOptions> = {}): Promise<Placement> {
  const path = process.env['PATH'] ?? '';
  const placement = await openHostProcessPlacement({
    folder,
    runnerCommand,
    path,
    home: '/home/of/runner',
    ...options,
  });
  placements.push(placement);
  placement.onExit((event) => exits.push(event));
  return placement;
}

const file = (...names: string[]): string => join(folder, attemptId, ...names);
const log = (): string => (existsSync(file('runner.log')) ? readFileSync(file('runner.log'), 'utf8') : '');
const logged = (text: string): Promise<string> => until(log, (seen) => seen.includes(text), `"${text}" in the log`);
const exited = (): Promise<ExitEvent[]> =>
  until(
    () => exits,
    (events) => events.length > 0,
    'the news of an end',
  );
const pidOf = (handle: Handle): number => Number(handle['pid']);

async function refusal(promise: Promise<unknown>): Promise<PlacementError> {
  const outcome = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(outcome instanceof PlacementError)) throw new Error(`not refused: ${String(outcome)}`);
  return outcome;
}

describe('a start', () => {
  it('gives the runner its folder and the few variables that it needs, and no secret', async () => {
    const placement = await open(runner('tell'), {
      extraEnv: { LANG: 'C.UTF-8', AGENTRUN_ATTEMPT_ID: 'other', PATH: '/none' },
    });
    const handle = await placement.start(attemptStart(attemptId));
    const told = JSON.parse(await logged('\n'));
    expect(told.env).toEqual({
      AGENTRUN_ATTEMPT_DIR: file(),
      AGENTRUN_ATTEMPT_ID: attemptId,
      HOME: '/home/of/runner',
      LANG: 'C.UTF-8',
      PATH: process.env['PATH'],
      TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    expect(told.argv.slice(1)).toEqual([fixture('runner.mjs'), 'tell']);
    for (const secret of [TOKEN, CREDENTIAL]) {
      expect(JSON.stringify(told)).not.toContain(secret);
      expect(livingWith(secret)).toEqual([]);
      expect(JSON.stringify(handle)).not.toContain(secret);
    }
    expect(JSON.parse(JSON.stringify(handle))).toEqual(handle);
  });

  it('writes a folder that nobody else can read', async () => {
    const former = process.umask(0);
    try {
      await (await open(runner('tell'))).start(attemptStart(attemptId));
    } finally {
      process.umask(former);
    }
    const { modes } = JSON.parse(await logged('\n'));
    expect((statSync(file()).mode & 0o777).toString(8)).toBe('700');
    expect(modes).toMatchObject({
      'attempt.json': '600',
      'credential/api-key': '600',
      'profile.json': '600',
      'runner.log': '600',
      credential: '700',
      token: '600',
    });
    expect(readFileSync(file('token'), 'utf8')).toBe(TOKEN);
    expect(readFileSync(file('credential', 'api-key'), 'utf8')).toBe(CREDENTIAL);
    expect(JSON.parse(readFileSync(file('profile.json'), 'utf8'))).toEqual({ backend: 'codex' });
    expect((statSync(file('process.json')).mode & 0o777).toString(8)).toBe('600');
  });

  it('writes an attempt.json that its schema takes', async () => {
    await (await open(runner('tell'))).start(attemptStart(attemptId));
    const written = JSON.parse(readFileSync(file('attempt.json'), 'utf8'));
    const { attempt } = attemptStart(attemptId);
    expect(written).toEqual({ ...attempt, placement: 'host-process', logFile: file('runner.log') });
    const validate = new Ajv({ allowUnionTypes: true }).compile(ATTEMPT_FILE);
    expect(validate(written), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...written, token: 'x' })).toBe(false);
  });

  it('leaves out what the attempt has not: no trace, no credential', async () => {
    const { traceparent: _, ...attempt } = attemptStart(attemptId).attempt;
    await (await open(runner('tell'))).start(attemptStart(attemptId, { attempt, credential: {} }));
    const { env, modes } = JSON.parse(await logged('\n'));
    expect([env.TRACEPARENT, modes.credential]).toEqual([undefined, undefined]);
  });

  it('ends what a former start of the same attempt left, and reports that one to nobody', async () => {
    const placement = await open(runner('family'));
    const first = await placement.start(attemptStart(attemptId));
    await logged('ready');
    const before = livingWith(attemptId);
    const second = await placement.start(attemptStart(attemptId));
    await until(log, (text) => text.match(/ready/g)?.length === 2, 'the second runner');
    expect(pidOf(second)).not.toBe(pidOf(first));
    expect(livingWith(attemptId).filter((pid) => before.includes(pid))).toEqual([]);
    expect(await placement.observe(first)).toMatchObject({ state: 'gone' });
    expect(await placement.observe(second)).toEqual({ state: 'running' });
    expect(exits).toEqual([]);
  });

  it('asked for twice at once leaves one runner', async () => {
    const placement = await open(runner('tell'));
    const handles = await Promise.all([1, 2, 3].map(() => placement.start(attemptStart(attemptId))));
    expect(livingWith(attemptId)).toEqual([pidOf(handles[2] as Handle)]);
  });

  it('refuses what is no id of an attempt, and a credential with a path for a name', async () => {
    const placement = await open(runner('tell'));
    for (const id of ['', '..', 'a/b', '../escape']) {
      expect(await refusal(placement.start(attemptStart(id)))).toMatchObject({
        reason: 'attempt-invalid',
        retryable: false,
      });
    }
    const wrong = attemptStart(attemptId, { credential: { '../../token': 'x' } });
    expect(await refusal(placement.start(wrong))).toMatchObject({ reason: 'attempt-invalid' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a start that fails', () => {
  it.each([
    ['not found', ['/no/such/runner', TOKEN], 'runner-command'],
    ['empty', [], 'runner-command'],
    ['not executable', [fixture('stubborn.mjs')], 'runner-command'],
  ])('because the command is %s, says so and leaves nothing', async (_what, command, reason) => {
    const error = await refusal((await open(command)).start(attemptStart(attemptId)));
    expect(error).toMatchObject({ reason, failureKind: 'infra-failed', retryable: false, logTail: '' });
    expect(error.message).toContain('AGENTRUN_RUNNER_COMMAND');
    expect(error.message).not.toContain(TOKEN);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('because the folder cannot be written, says so', async () => {
    const placement = await open(runner('tell'));
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file where the folder should be');
    expect(await refusal(placement.start(attemptStart(attemptId)))).toMatchObject({
      reason: 'folder-failed',
      retryable: false,
      message: expect.stringContaining(attemptId),
    });
  });

  const canMount = process.platform === 'linux' && process.getuid?.() === 0;
  it.runIf(canMount)('because the disk is full, says so and leaves nothing running', async () => {
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status !== 0) return;
    try {
      const placement = await open(runner('tell'));
      writeFileSync(join(folder, 'ballast'), Buffer.alloc(56 * 1024));
      const big = attemptStart(attemptId, { profile: { text: 'x'.repeat(32 * 1024) } });
      expect(await refusal(placement.start(big))).toMatchObject({
        reason: 'disk-full',
        failureKind: 'disk-full',
        retryable: true,
      });
      expect(readdirSync(folder)).toEqual(['ballast']);
      expect(livingWith(attemptId)).toEqual([]);
    } finally {
      spawnSync('umount', [folder]);
    }
  });
});

describe('the end of a runner', () => {
  it('is told at once, with its code and the end of its log', async () => {
    const placement = await open(runner('crash', '500'));
    const handle = await placement.start(attemptStart(attemptId));
    const [event] = await exited();
    expect(event).toMatchObject({ attemptId, handle, exit: { code: 3, signal: null, reason: null } });
    expect(Buffer.byteLength(event?.logTail ?? '')).toBeLessThanOrEqual(2048);
    expect(event?.logTail).toMatch(/line 499 äöü\n$/);
    expect(event?.logTail).not.toContain('\ufffd');
    expect(await placement.observe(handle)).toMatchObject({ state: 'gone', exit: { code: 3, signal: null } });
  });

  it('is told once, to every listener, whatever another one throws', async () => {
    const placement = await open(runner('crash', '1'));
    placement.onExit(() => {
      throw new Error('a listener that fails');
    });
    const heard: string[] = [];
    const forget = placement.onExit(() => heard.push('forgotten'));
    placement.onExit((event) => heard.push(event.attemptId));
    forget();
    await placement.start(attemptStart(attemptId));
    await until(
      () => heard,
      (list) => list.length > 0,
      'the news',
    );
    await placement.fence(attemptId, null);
    expect(heard).toEqual([attemptId]);
    expect(exits).toHaveLength(1);
  });

  it('by a signal is told with the signal', async () => {
    const placement = await open(runner('tell'));
    process.kill(pidOf(await placement.start(attemptStart(attemptId))), 'SIGKILL');
    expect((await exited())[0]?.exit).toEqual({ code: null, signal: 'SIGKILL', reason: null });
  });

  it('takes with it whatever the runner left behind', async () => {
    await (await open(runner('leave'))).start(attemptStart(attemptId));
    expect((await exited())[0]?.exit?.code).toBe(0);
    await until(
      () => livingWith(attemptId),
      (pids) => pids.length === 0,
      'the end of what was left',
    );
  });
});

describe('a fence', () => {
  it('ends the runner and its whole family', async () => {
    const placement = await open(runner('family'));
    const handle = await placement.start(attemptStart(attemptId));
    await logged('ready');
    expect(await placement.fence(attemptId, handle)).toMatchObject({ gone: true });
    expect(livingWith(attemptId)).toEqual([]);
    expect((await exited())[0]?.exit?.signal).toBe('SIGKILL');
    expect(await placement.fence(attemptId, null)).toEqual({ gone: true, ended: 0 });
  });

  it('needs no handle', async () => {
    const placement = await open(runner('family'));
    await placement.start(attemptStart(attemptId));
    await logged('ready');
    expect(await placement.fence(attemptId, null)).toMatchObject({ gone: true });
    expect(livingWith(attemptId)).toEqual([]);
  });

  it('of one attempt leaves the others alone', async () => {
    const placement = await open(runner('tell'));
    const other = await placement.start(attemptStart(`${attemptId}-2`));
    await placement.start(attemptStart(attemptId));
    await placement.fence(attemptId, null);
    expect(livingWith(attemptId)).toEqual([pidOf(other)]);
  });

  it('and an observation refuse a handle of another kind', async () => {
    const placement = await open(runner('tell'));
    const foreign: Handle = { kind: 'kubernetes-job', namespace: 'agentrun-v01', jobName: 'x', uid: 'y' };
    expect(await refusal(placement.observe(foreign))).toMatchObject({ reason: 'handle-invalid', retryable: false });
    expect(await refusal(placement.fence(attemptId, foreign))).toMatchObject({ reason: 'handle-invalid' });
  });

  it('takes a process with the same pid for another one', async () => {
    const placement = await open(runner('tell'));
    const handle = await placement.start(attemptStart(attemptId));
    for (const other of [
      { ...handle, startTime: '1' },
      { ...handle, bootId: 'before the restart' },
    ]) {
      expect(await placement.observe(other)).toMatchObject({ state: 'gone', exit: null });
    }
  });
});

describe('what is kept of attempts', () => {
  it('is listed with name, labels and state', async () => {
    const placement = await open(runner('tell'));
    const handle = await placement.start(attemptStart(attemptId));
    mkdirSync(join(folder, 'att_cut-short'));
    mkdirSync(join(folder, '.not-an-attempt'));
    const listed = await placement.list();
    expect(listed).toHaveLength(2);
    expect(listed).toContainEqual({
      attemptId: 'att_cut-short',
      name: null,
      labels: {},
      handle: null,
      state: 'unknown',
      startedAt: null,
    });
    expect(listed).toContainEqual({
      attemptId,
      name: `agentrun-runner-${attemptId}`,
      labels: { 'app.kubernetes.io/component': 'runner' },
      handle,
      state: 'running',
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('survives a record that is damaged', async () => {
    const placement = await open(runner('tell'));
    await placement.start(attemptStart(attemptId));
    for (const text of ['', '{', '{"handle": 1}', '{"handle": {"kind": "host-process"}}', 'null']) {
      writeFileSync(file('process.json'), text);
      expect(await placement.list()).toMatchObject([{ attemptId, handle: null, state: 'unknown' }]);
    }
    await open(runner('tell'));
  });

  it('is removed only when nothing runs any more', async () => {
    const placement = await open(runner('tell'));
    await placement.start(attemptStart(attemptId));
    expect(await refusal(placement.remove(attemptId))).toMatchObject({ reason: 'still-running', retryable: true });
    await placement.fence(attemptId, null);
    await placement.remove(attemptId);
    expect(readdirSync(folder)).toEqual([]);
    await placement.remove(attemptId);
    expect(await placement.list()).toEqual([]);
  });
});

describe('a close', () => {
  it('that leaves them running ends nothing, and starts nothing more', async () => {
    const placement = await open(runner('tell'));
    const handle = await placement.start(attemptStart(attemptId));
    expect(await placement.close({ leaveRunning: true })).toEqual([]);
    expect(livingWith(attemptId)).toEqual([pidOf(handle)]);
    expect(await refusal(placement.start(attemptStart(attemptId)))).toMatchObject({
      reason: 'placement-closed',
      retryable: true,
    });
  });

  it('interrupts runners, and waits for the polite ones', async () => {
    const placement = await open(runner('polite'));
    await placement.start(attemptStart(attemptId));
    await logged('ready');
    expect(await placement.close({ leaveRunning: false, graceMs: 15_000 })).toEqual([]);
    expect(log()).toContain('interrupted');
    expect(livingWith(attemptId)).toEqual([]);
    expect((await exited())[0]?.exit?.code).toBe(130);
  });

  it('fences those that do not end within the grace', async () => {
    const placement = await open(runner('family'));
    await placement.start(attemptStart(attemptId));
    await logged('ready');
    expect(await placement.close({ leaveRunning: false, graceMs: 50 })).toEqual([]);
    expect(livingWith(attemptId)).toEqual([]);
  });

  it('is cut short by a second one without grace', async () => {
    const placement = await open(runner('tell'));
    await placement.start(attemptStart(attemptId));
    const patient = placement.close({ leaveRunning: false, graceMs: 3_600_000 });
    expect(await placement.close({ leaveRunning: false, graceMs: 0 })).toEqual([]);
    expect(await patient).toEqual([]);
    expect(livingWith(attemptId)).toEqual([]);
  });

  it('leaves nothing of a start that is under way', async () => {
    for (let round = 0; round < 10; round += 1) {
      const placement = await open(runner('tell'));
      const start = placement.start(attemptStart(attemptId)).then(
        () => 'started',
        (error: unknown) => error,
      );
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      expect(await placement.close({ leaveRunning: false, graceMs: 0 })).toEqual([]);
      expect(livingWith(attemptId)).toEqual([]);
      expect(await start).toSatisfy((outcome) => outcome === 'started' || outcome instanceof PlacementError);
    }
  });
});

describe('the folder of the attempts', () => {
  it('is made when it is missing', async () => {
    const missing = join(folder, 'deeper', 'attempts');
    expect(await (await open(runner('tell'), { folder: missing })).list()).toEqual([]);
    expect((statSync(missing).mode & 0o777).toString(8)).toBe('700');
  });

  it('that is a file stops the opening', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    chmodSync(path, 0o600);
    expect(await refusal(open(runner('tell'), { folder: path }))).toMatchObject({ reason: 'folder-failed' });
  });
});

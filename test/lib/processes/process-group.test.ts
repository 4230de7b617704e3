import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, type ProcessGroup, type SpawnGroupOptions, spawnGroup } from '../../../lib/src/processes/index.ts';
import { fixture } from '../../helpers/agent-process.ts';
import { killAllWith, livingWith, until } from '../../helpers/living-processes.ts';

const NODE = process.execPath;
const PATH = process.env['PATH'] ?? '';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentrun-group-'));
});
afterEach(() => {
  killAllWith(folder);
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

async function start(argv: readonly string[], options: Partial<SpawnGroupOptions> = {}): Promise<ProcessGroup> {
  const outcome = await spawnGroup(argv, { cwd: folder, env: { PATH }, ...options });
  if (!outcome.started) throw new Error(outcome.message);
  return outcome;
}

const inFolder = (name: string): string => join(folder, name);
const written = (name: string): string => {
  try {
    return readFileSync(inFolder(name), 'utf8');
  } catch {
    return '';
  }
};

describe('a process group', () => {
  it('leads a session of its own, in its folder, with the given environment and nothing else', async () => {
    const program = 'console.log(JSON.stringify([process.cwd(), Object.keys(process.env).sort(), process.pid]))';
    const group = await start([NODE, '-e', program], { env: { PATH, ONE: '1' } });
    const output = group.stdout === null ? '' : await text(group.stdout);
    expect(JSON.parse(output)).toEqual([expect.stringContaining(folder), ['ONE', 'PATH'], group.pid]);
    expect(await group.exited).toEqual({ code: 0, signal: null });
    expect(group.identity?.pid).toBe(group.pid);
  });

  it('tells the code and the signal of its end', async () => {
    expect(await (await start(['sh', '-c', 'exit 7'])).exited).toEqual({ code: 7, signal: null });
    expect(await (await start(['sh', '-c', 'kill -9 $$'])).closed).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('passes each signal to the whole group', async () => {
    const group = await start([NODE, fixture('group.mjs'), inFolder('signals')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => group.stdout?.once('data', resolve));
    expect([group.interrupt(), group.terminate()]).toEqual([true, true]);
    await until(
      () => written('signals').split('\n').sort().join(' ').trim(),
      (seen) => seen === 'SIGINT SIGTERM',
      'both',
    );
    expect(group.kill()).toBe(true);
    expect(await group.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await until(
      () => livingWith(folder),
      (pids) => pids.length === 0,
      'the end of the child',
    );
  });

  it('still reaches those whose leader has ended, and nobody once all have', async () => {
    const group = await start([NODE, fixture('group.mjs'), inFolder('signals')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => group.stdout?.once('data', resolve));
    process.kill(group.pid, 'SIGHUP');
    expect(await group.exited).toEqual({ code: 0, signal: null });
    expect(livingWith(folder)).toHaveLength(1);
    expect(group.kill()).toBe(true);
    await until(
      () => group.kill(),
      (reached) => !reached,
      'an empty group',
    );
    expect(livingWith(folder)).toEqual([]);
    expect([group.interrupt(), group.terminate(), group.kill()]).toEqual([false, false, false]);
  });

  it('survives the end of a reader that it writes to', async () => {
    const group = await start(['sh', '-c', 'exec 0<&-; sleep 0.2']);
    const failed = await new Promise<unknown>((resolve) => {
      const chunk = Buffer.alloc(1024 * 1024);
      const write = () => group.stdin?.write(chunk, (error) => (error ? resolve(error) : setImmediate(write)));
      write();
    });
    expect(failed).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) });
    expect(await group.exited).toEqual({ code: 0, signal: null });
  });

  it('writes to a file descriptor', async () => {
    const log = openSync(inFolder('log'), 'a', 0o600);
    const group = await start(['sh', '-c', 'echo out; echo err >&2'], { stdio: ['ignore', log, log] });
    closeSync(log);
    await group.exited;
    expect([written('log'), group.stdin, group.stdout, group.stderr]).toEqual(['out\nerr\n', null, null, null]);
  });

  it('has an identity even when it ends at once', async () => {
    for (let round = 0; round < 20; round += 1) {
      const group = await start(['true']);
      if (group.identity === null) throw new Error('no identity');
      await group.exited;
      expect(isAlive(group.identity)).toBe(false);
    }
  });
});

describe('a command that cannot be started', () => {
  const failure = (argv: readonly string[], options: Partial<SpawnGroupOptions> = {}) =>
    spawnGroup(argv, { cwd: folder, env: { PATH }, ...options });

  it('is not found', async () => {
    expect(await failure(['no-such-command', 'hunter2'])).toEqual({
      started: false,
      code: 'not-found',
      retryable: false,
      message: expect.stringMatching(/^could not start "no-such-command": (?!.*hunter2)/),
    });
    expect(await failure([inFolder('missing')])).toMatchObject({ code: 'not-found' });
    expect(await failure(['sh'], { env: {} })).toMatchObject({ started: expect.any(Boolean) });
  });

  it('lacks its interpreter', async () => {
    writeFileSync(inFolder('script'), '#!/no/such/interpreter\n', { mode: 0o755 });
    expect(await failure([inFolder('script')])).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('interpreter'),
    });
  });

  it('is not executable', async () => {
    writeFileSync(inFolder('plain'), 'text', { mode: 0o600 });
    expect(await failure([inFolder('plain')])).toMatchObject({ code: 'not-executable', retryable: false });
  });

  it('has no folder to run in', async () => {
    const outcome = await failure(['sh'], { cwd: inFolder('nowhere') });
    expect(outcome).toMatchObject({ code: 'folder-missing', message: expect.stringContaining('nowhere') });
  });

  it('has arguments that no system takes', async () => {
    expect(await failure([])).toMatchObject({ code: 'invalid-arguments' });
    expect(await failure(['sh', 'a\0b'])).toMatchObject({ code: 'invalid-arguments' });
    expect(await failure(['sh', 'x'.repeat(8 * 1024 * 1024)])).toMatchObject({ code: 'invalid-arguments' });
  });
});

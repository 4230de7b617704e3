import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FenceResult, fence, processIdentity, processState } from '../../../lib/src/processes/index.ts';
import { firstOutput, fixture, newAttemptId, startMarked } from '../../helpers/agent-process.ts';
import { hasCommand } from '../../helpers/has-command.ts';
import { killAllWith, livingWith, until, untilLiving } from '../../helpers/living-processes.ts';

const NODE = process.execPath;
const DEADLINE = { deadlineMs: 15_000 };
const linux = process.platform === 'linux';

let attemptId: string;
let folder: string;
let bystander: ChildProcess;

beforeEach(async () => {
  attemptId = newAttemptId();
  folder = mkdtempSync(join(tmpdir(), 'agentrun-fence-'));
  // A neighbour whose mark begins with ours, so that a match by prefix would kill it.
  bystander = startMarked(`${attemptId}0`, [NODE, fixture('stubborn.mjs')]);
  await firstOutput(bystander);
});

afterEach(() => {
  const alive = bystander.exitCode === null && bystander.signalCode === null;
  bystander.kill('SIGKILL');
  killAllWith(attemptId);
  killAllWith(folder);
  rmSync(folder, { recursive: true, force: true });
  expect(alive, 'a process of another attempt is left alone').toBe(true);
});

/** Those of the attempt; the neighbour has a longer id. */
const living = (): number[] => livingWith(attemptId).filter((pid) => pid !== bystander.pid);
const killed = (result: FenceResult): number => (result.gone ? result.killed : -1);

describe('fence', () => {
  it('says gone of an attempt that has no process', async () => {
    expect(await fence(attemptId, DEADLINE)).toEqual({ gone: true, killed: 0, rounds: 0 });
  });

  it('ends an agent that ignores SIGTERM', async () => {
    await firstOutput(startMarked(attemptId, [NODE, fixture('stubborn.mjs')]));
    expect(killed(await fence(attemptId, { ...DEADLINE, graceMs: 100 }))).toBe(1);
    expect(living()).toEqual([]);
  });

  it('lets an agent end by itself within the grace', async () => {
    const file = join(folder, 'note');
    const child = startMarked(attemptId, [NODE, fixture('polite.mjs'), file]);
    await firstOutput(child);
    expect(await fence(attemptId, { ...DEADLINE, graceMs: 10_000 })).toEqual({ gone: true, killed: 1, rounds: 0 });
    expect(readFileSync(file, 'utf8')).toBe('ended');
  });

  it('does not ask first without a grace', async () => {
    const file = join(folder, 'note');
    await firstOutput(startMarked(attemptId, [NODE, fixture('polite.mjs'), file]));
    expect(killed(await fence(attemptId, DEADLINE))).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('ends grandchildren that are in sessions of their own', async () => {
    await firstOutput(startMarked(attemptId, [NODE, fixture('setsid-tree.mjs'), '3']));
    expect(living()).toHaveLength(4);
    expect(killed(await fence(attemptId, DEADLINE))).toBe(4);
    expect(living()).toEqual([]);
  });

  it.runIf(linux)('ends a daemon of a double fork whose parents have ended', async () => {
    const starter = startMarked(attemptId, ['sh', fixture('daemon.sh')]);
    await firstOutput(starter);
    await until(
      () => starter.exitCode,
      (code) => code === 0,
      'the parent to end',
    );
    expect(living().length).toBeGreaterThan(0);
    expect((await fence(attemptId, DEADLINE)).gone).toBe(true);
    expect(living()).toEqual([]);
  });

  it('ends a process that is stopped', async () => {
    const child = startMarked(attemptId, [NODE, fixture('stubborn.mjs')]);
    await firstOutput(child);
    child.kill('SIGSTOP');
    expect(killed(await fence(attemptId, { ...DEADLINE, graceMs: 50 }))).toBe(1);
    expect(living()).toEqual([]);
  });

  it.runIf(linux)('ends processes that start each other anew when one dies', async () => {
    const count = 6;
    for (let slot = 0; slot < count; slot += 1) {
      startMarked(attemptId, ['sh', fixture('refork.sh'), folder, String(slot), String(count), '0']).unref();
    }
    const slots = () => readdirSync(folder).filter((name) => name.startsWith('slot-'));
    await until(slots, (names) => names.length === count, 'all slots');
    process.kill(Number(readFileSync(join(folder, 'slot-0'), 'utf8')), 'SIGKILL');
    const heirs = () => readdirSync(folder).filter((name) => name.startsWith('heir-'));
    await until(heirs, (names) => names.length > 0, 'an heir: the fixture must replace whoever dies');
    expect((await fence(attemptId, DEADLINE)).gone).toBe(true);
    expect(living()).toEqual([]);
    await delay(100);
    expect(livingWith(folder)).toEqual([]);
  });

  it.runIf(linux)('ends processes that cleared their environment, by parent, group and session', async () => {
    await firstOutput(startMarked(attemptId, ['sh', fixture('clear-environment.sh'), folder]));
    await untilLiving(folder, 5);
    expect((await fence(attemptId, DEADLINE)).gone).toBe(true);
    expect(livingWith(folder)).toEqual([]);
  });

  it.runIf(linux)('knows the session of a leader that has ended, while one of the attempt is in it', async () => {
    const script = `sleep 60 & env -i sh -c 'while :; do /bin/sleep 60; done' cleared ${folder} & echo ready; sleep 0.1`;
    const leader = startMarked(attemptId, ['sh', '-c', script]);
    const identity = processIdentity(leader.pid ?? 0);
    await firstOutput(leader);
    await until(
      () => leader.exitCode,
      (code) => code === 0,
      'the leader to end',
    );
    expect(livingWith(folder)).not.toEqual([]);
    expect((await fence(attemptId, { ...DEADLINE, leader: identity })).gone).toBe(true);
    expect(livingWith(folder)).toEqual([]);
  });

  it('leaves a session alone that none of the attempt leads', async () => {
    // A runner that somebody started by hand: the shell and its other jobs are not the attempt's.
    const shell = `sleep 60 & AGENTRUN_ATTEMPT_ID=${attemptId} sh -c 'echo ready; exec sleep 61'; true`;
    const owner = spawn('sh', ['-c', shell, 'shell', folder], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    await firstOutput(owner);
    expect(killed(await fence(attemptId, DEADLINE))).toBe(1);
    process.kill(-(owner.pid ?? 0), 'SIGKILL');
  });

  it('spares the pids that are excluded, and ends what they started', async () => {
    const child = startMarked(attemptId, [NODE, fixture('setsid-tree.mjs'), '2']);
    await firstOutput(child);
    expect(killed(await fence(attemptId, { ...DEADLINE, exclude: [child.pid ?? 0] }))).toBe(2);
    expect(living()).toEqual([child.pid]);
  });

  it('counts a zombie as gone', async () => {
    // The shell becomes sleep, which never looks after the child of the shell.
    const parent = spawn('sh', ['-c', `AGENTRUN_ATTEMPT_ID=${attemptId} sh -c 'echo $$' & exec sleep 60`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = Number(await firstOutput(parent));
    const identity = processIdentity(pid);
    if (identity === null) throw new Error('the zombie must be there');
    await until(
      () => processState(identity),
      (state) => state === 'gone',
      'the zombie',
    );
    expect(process.kill(pid, 0), 'its pid is still taken').toBe(true);
    expect(await fence(attemptId, DEADLINE)).toEqual({ gone: true, killed: 0, rounds: 0 });
    parent.kill('SIGKILL');
  });

  it.runIf(linux && hasCommand('python3', '-c', 'import ctypes'))(
    'ends a process whose first thread has ended while another runs',
    async () => {
      const program =
        'import ctypes,threading,time\nthreading.Thread(target=time.sleep,args=(60,)).start()\nctypes.CDLL(None).pthread_exit(None)';
      const child = startMarked(attemptId, ['python3', '-c', program]);
      const state = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.[0];
      await until(state, (letter) => letter === 'Z', 'the first thread to end');
      expect(child.exitCode).toBeNull();
      expect(killed(await fence(attemptId, DEADLINE))).toBe(1);
      await until(
        () => child.signalCode,
        (signal) => signal === 'SIGKILL',
        'its end',
      );
    },
  );

  it.runIf(linux)(
    'leaves nothing of a growing tree, at whatever moment it comes',
    async () => {
      for (let round = 0; round < 200; round += 1) {
        const id = `${attemptId}-${round}`;
        startMarked(id, ['sh', fixture('grow.sh'), '3']).unref();
        await delay(Math.random() * 40);
        const result = await fence(id, DEADLINE);
        expect(result.gone, `round ${round}`).toBe(true);
        expect(livingWith(id), `round ${round}`).toEqual([]);
      }
    },
    120_000,
  );

  it.runIf(linux)(
    'catches a process that hands over to the next all the time',
    async () => {
      const ends: string[] = [];
      for (let round = 0; round < 30; round += 1) {
        const id = `${attemptId}-${round}`;
        ends.push(join(folder, `end-${round}`));
        startMarked(id, ['sh', fixture('hop.sh'), ends.at(-1) ?? '', '1500']).unref();
        await delay(Math.random() * 40);
        expect((await fence(id, DEADLINE)).gone, `round ${round}`).toBe(true);
        for (let look = 0; look < 5; look += 1) expect(livingWith(id), `round ${round}`).toEqual([]);
      }
      expect(ends.filter((file) => existsSync(file))).toEqual([]);
    },
    60_000,
  );

  it('refuses an id that would match the processes of others', async () => {
    for (const id of ['', '../x', 'a b', 'a\0b', '.']) await expect(fence(id, DEADLINE)).rejects.toThrow(TypeError);
  });
});

describe('fence and a pid that was given to another process', () => {
  it('does not take another process for the leader of the attempt', async () => {
    const foreign = processIdentity(bystander.pid ?? 0);
    if (foreign === null) throw new Error('the neighbour must be there');
    for (const leader of [
      { ...foreign, startTime: `${foreign.startTime}1` },
      { ...foreign, bootId: 'another boot' },
    ]) {
      expect(await fence(attemptId, { ...DEADLINE, leader })).toEqual({ gone: true, killed: 0, rounds: 0 });
    }
  });

  it('takes the very process that was started, whatever its environment has become', async () => {
    const child = spawn(NODE, [fixture('stubborn.mjs')], {
      env: {},
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await firstOutput(child);
    const leader = processIdentity(child.pid ?? 0);
    expect(killed(await fence(attemptId, { ...DEADLINE, leader }))).toBe(1);
    expect(processState(leader ?? { pid: 0, startTime: '', bootId: '' })).toBe('gone');
  });
});

const asNobody = linux && process.getuid?.() === 0 && spawnSync('setpriv', ['--reuid=65534', 'true']).status === 0;

describe.runIf(asNobody)('fence without the rights of root', async () => {
  const { bundleProcess } = await import('../../helpers/bundled-process.ts');
  const setup = async (): Promise<string> => {
    const program = await bundleProcess('fence-attempt.ts');
    spawnSync('chmod', ['-R', 'a+rX', join(program, '..')]);
    return program;
  };
  const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];

  it('names the process that it may not kill, without its arguments', async () => {
    const program = await setup();
    const child = startMarked(attemptId, [NODE, fixture('stubborn.mjs'), '--token=hunter2']);
    await firstOutput(child);
    const options = JSON.stringify({ deadlineMs: 5000, leader: processIdentity(child.pid ?? 0) });
    const { stdout } = spawnSync('setpriv', [...NOBODY, NODE, program, attemptId, options], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({
      gone: false,
      couldNotLook: null,
      survivors: [{ pid: child.pid, command: expect.stringMatching(/^[\w-]+$/) }],
    });
    expect(stdout).not.toContain('hunter2');
  });

  it('never says gone where /proc hides processes, but ends what it sees', async () => {
    const program = await setup();
    const child = startMarked(attemptId, [NODE, fixture('stubborn.mjs')], { uid: 65534, gid: 65534 });
    await firstOutput(child);
    const script = 'mount -t proc -o hidepid=2 proc /proc && exec setpriv "$@"';
    const argv = ['-m', 'sh', '-c', script, 'sh', ...NOBODY, NODE, program, attemptId, '{"deadlineMs":5000}'];
    const { stdout } = spawnSync('unshare', argv, { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({
      gone: false,
      survivors: [],
      couldNotLook: expect.stringContaining('hidepid'),
      killed: 1,
    });
    expect(living()).toEqual([]);
  });
});

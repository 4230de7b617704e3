import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { isAlive, processesOfAttempt, processIdentity, processState } from '../../../lib/src/processes/index.ts';
import { firstOutput, fixture, newAttemptId, startMarked } from '../../helpers/agent-process.ts';

const own = processIdentity(process.pid);

describe('the identity of a process', () => {
  it('stays the same while it lives, and is JSON', () => {
    expect(own).toMatchObject({
      pid: process.pid,
      startTime: expect.stringMatching(/./),
      bootId: expect.stringMatching(/./),
    });
    expect(processIdentity(process.pid)).toEqual(own);
    expect(JSON.parse(JSON.stringify(own))).toEqual(own);
  });

  it('is null for a process that is not there, and for what is no pid', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    for (const pid of [child.pid ?? 0, 0, -1, 1.5, Number.NaN]) expect(processIdentity(pid)).toBeNull();
  });

  it('is alive until the process has ended', async () => {
    const child = spawn('sleep', ['60']);
    const identity = processIdentity(child.pid ?? 0);
    if (identity === null || own === null) throw new Error('both must be there');
    expect([isAlive(identity), isAlive(own)]).toEqual([true, true]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(identity)).toBe(false);
    expect(processState(identity)).toBe('gone');
  });

  it('is another one for the same pid with another start, or of another boot', () => {
    if (own === null) throw new Error('this process must be there');
    expect(processState({ ...own, startTime: `${own.startTime}0` })).toBe('gone');
    expect(processState({ ...own, bootId: 'another boot' })).toBe('gone');
  });
});

describe('the processes of an attempt', () => {
  it('are those whose environment has exactly its id', async () => {
    const attemptId = newAttemptId();
    const child = startMarked(attemptId, [
      process.execPath,
      fixture('stubborn.mjs'),
      `AGENTRUN_ATTEMPT_ID=${attemptId}1`,
    ]);
    const longer = startMarked(`${attemptId}1`, [process.execPath, fixture('stubborn.mjs')]);
    await Promise.all([firstOutput(child), firstOutput(longer)]);
    const identity = processIdentity(child.pid ?? 0);

    const { processes, couldNotLook } = await processesOfAttempt(attemptId);
    expect(couldNotLook).toBeNull();
    expect(processes).toEqual([
      { pid: child.pid, startTime: identity?.startTime, command: expect.stringMatching(/./) },
    ]);
    expect((await processesOfAttempt(attemptId, { exclude: [child.pid ?? 0] })).processes).toEqual([]);

    child.kill('SIGKILL');
    longer.kill('SIGKILL');
    await Promise.all([once(child, 'exit'), once(longer, 'exit')]);
    expect((await processesOfAttempt(attemptId)).processes).toEqual([]);
  });

  it('refuse what is no id', async () => {
    await expect(processesOfAttempt('')).rejects.toThrow(TypeError);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openHostProcessPlacement } from '../../../manager/src/placement/host-process.ts';
import type { ExitEvent, Handle, Placement } from '../../../manager/src/placement/placement.ts';
import { fixture, newAttemptId } from '../../helpers/agent-process.ts';
import { attemptStart } from '../../helpers/attempt-start.ts';
import { killAllWith, livingWith, until } from '../../helpers/living-processes.ts';
import { bundleManagerProcess } from '../../helpers/manager-process.ts';

let program: string;
let folder: string;
let attemptId: string;
let placements: Placement[];

beforeAll(async () => {
  program = await bundleManagerProcess('place-attempt.ts');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentrun-adoption-'));
  attemptId = newAttemptId();
  placements = [];
});
afterEach(async () => {
  for (const placement of placements) await placement.close({ leaveRunning: true });
  killAllWith(attemptId);
  rmSync(folder, { recursive: true, force: true });
});

const runner = (role: string): string[] => [process.execPath, fixture('runner.mjs'), role];

/** A manager of its own process that starts the attempt; it settles with what it printed when it printed the text. */
async function startManager(role: string, text: string): Promise<{ manager: ChildProcess; printed: string }> {
  const manager = spawn(process.execPath, [program, folder, attemptId, JSON.stringify(runner(role))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  manager.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  await until(
    () => printed,
    (seen) => seen.includes(text),
    `"${text}" of the manager`,
  );
  return { manager, printed };
}

async function end(manager: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = manager.exitCode === null && manager.signalCode === null ? once(manager, 'exit') : null;
  manager.kill(signal);
  await ended;
}

async function openNext(role: string): Promise<{ placement: Placement; exits: ExitEvent[] }> {
  const exits: ExitEvent[] = [];
  const path = process.env['PATH'] ?? '';
  const placement = await openHostProcessPlacement({
    folder,
    runnerCommand: runner(role),
    path,
    home: folder,
    pollMs: 20,
  });
  placements.push(placement);
  placement.onExit((event) => exits.push(event));
  return { placement, exits };
}

const handleIn = (printed: string): Handle => JSON.parse(printed.split('\n')[1] ?? '');
const log = (): string => {
  const file = join(folder, attemptId, 'runner.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};
const logged = (text: string): Promise<string> => until(log, (seen) => seen.includes(text), `"${text}" in the log`);
const own = (): number[] => livingWith(`AGENTRUN_ATTEMPT_ID=${attemptId}`);

describe('a manager that is killed', () => {
  it('leaves its runner to the next one, which tells of its end', async () => {
    const { manager, printed } = await startManager('tell', '}\n');
    await end(manager, 'SIGKILL');
    const handle = handleIn(printed);
    expect(own()).toEqual([handle['pid']]);

    await logged('"argv"');
    const { placement, exits } = await openNext('tell');
    expect(await placement.list()).toMatchObject([{ attemptId, handle, state: 'running' }]);
    expect(await placement.observe(handle)).toEqual({ state: 'running' });
    expect(exits).toEqual([]);
    process.kill(Number(handle['pid']), 'SIGTERM');
    await until(
      () => exits,
      (events) => events.length > 0,
      'the news of its end',
    );
    expect(exits).toEqual([{ attemptId, handle, exit: null, logTail: expect.stringContaining('"argv"') }]);
    expect(await placement.observe(handle)).toMatchObject({ state: 'gone', exit: null });
  });

  it('leaves a runner that the next one can fence', async () => {
    const { manager, printed } = await startManager('family', '}\n');
    await end(manager, 'SIGKILL');
    await until(own, (pids) => pids.length >= 2, 'the family');
    const { placement, exits } = await openNext('family');
    expect(await placement.fence(attemptId, handleIn(printed))).toMatchObject({ gone: true });
    expect(own()).toEqual([]);
    await until(
      () => exits,
      (events) => events.length === 1,
      'the news of its end',
    );
  });

  it('leaves a runner that the next one interrupts when it drains', async () => {
    const { manager } = await startManager('polite', '}\n');
    await end(manager, 'SIGKILL');
    const { placement } = await openNext('polite');
    await logged('ready');
    expect(await placement.close({ leaveRunning: false, graceMs: 15_000 })).toEqual([]);
    expect(log()).toContain('interrupted');
  });

  it('has what its ended runners left behind swept away by the next one', async () => {
    const { manager, printed } = await startManager('family', '}\n');
    await end(manager, 'SIGKILL');
    await until(own, (pids) => pids.length >= 2, 'the family');
    const runnerPid = Number(handleIn(printed)['pid']);
    process.kill(runnerPid, 'SIGKILL');
    await until(own, (pids) => !pids.includes(runnerPid), 'the end of the runner');
    expect(own()).not.toEqual([]);
    const { placement, exits } = await openNext('family');
    await until(own, (pids) => pids.length === 0, 'the end of what was left');
    expect(await placement.list()).toMatchObject([{ attemptId, state: 'gone' }]);
    expect(exits).toEqual([]);
  });

  it('at whatever moment of a start leaves nothing that a repeated start would double', async () => {
    let interrupted = 0;
    for (let round = 0; round < 25; round += 1) {
      const { manager } = await startManager('tell', 'starting');
      await delay(Math.random() * 80);
      await end(manager, 'SIGKILL');
      const { placement } = await openNext('tell');
      const left = await placement.list();
      if (left[0]?.handle === null || left.length === 0) interrupted += 1;
      const handle = await placement.start(attemptStart(attemptId));
      expect(own(), `round ${round}`).toEqual([handle['pid']]);
      expect(await placement.fence(attemptId, handle)).toMatchObject({ gone: true });
      await placement.remove(attemptId);
      expect(readdirSync(folder)).toEqual([]);
      await placement.close({ leaveRunning: true });
    }
    expect(interrupted, 'some of the kills came before the record').toBeGreaterThan(0);
  }, 60_000);
});

describe('a manager that is asked to end', () => {
  it('ends, and leaves its runner running', async () => {
    const { manager, printed } = await startManager('tell', '}\n');
    const exit = once(manager, 'exit');
    manager.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    expect(own()).toEqual([handleIn(printed)['pid']]);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { PlacedManager } from '../helpers/placed-manager.ts';
import { eventually } from '../helpers/runner-setup.ts';
import { attemptOf, commandEnded, expectHealthy, expectOneEnd, figure, livingOf, runEnded } from './chaos-world.ts';

/** Mounts a small file system; false where that is not allowed. */
function mountSmall(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function unmount(folder: string): void {
  execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' });
}

/**
 * Fills the volume of a session: the turn says so, the run can go on, and the next turn works when there is room.
 *
 * @returns false where nobody may mount
 */
export async function fillDisk(manager: PlacedManager): Promise<boolean> {
  const sessionId = 'sess_full';
  const volume = join(manager.dataDir, 'sessions', sessionId);
  if (!mountSmall(volume)) return false;
  try {
    const run = { backendProfile: 'chaos', sessionRef: { sessionId }, workspaceRef: { kind: 'session' } };
    const { runId, turnId } = await manager.placedTurn('[[fill]]', run);
    expect(await commandEnded(manager, runId, turnId)).toMatchObject({
      terminalStatus: 'failed',
      failureKind: 'disk-full',
      failureMessage: expect.stringContaining('no space left on device'),
    });
    // Still full.
    const next = await manager.turn(runId, 'hello');
    expect(await commandEnded(manager, runId, next.id)).toMatchObject({ terminalStatus: 'completed' });
    const last = await manager.turn(runId, '[[empty]]');
    expect(await commandEnded(manager, runId, last.id)).toMatchObject({ terminalStatus: 'completed' });
    await runEnded(manager, runId);
    expectOneEnd(await manager.events(runId), [turnId, next.id, last.id]);
    const attempt = await attemptOf(manager, runId);
    await eventually(
      () => livingOf(attempt),
      (pids) => pids.length === 0,
      `the end of ${attempt}`,
    );
    const later = await manager.placedTurn('hello again', run);
    expect(await runEnded(manager, later.runId)).toMatchObject({ status: 'completed' });
    await expectHealthy(manager);
    figure('full disk', 'told as disk-full; the next turns, and the next run of the session, work');
    return true;
  } finally {
    unmount(volume);
  }
}

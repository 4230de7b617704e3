import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { freePort } from '../helpers/free-port.ts';
import { killAllWith } from '../helpers/living-processes.ts';
import { bundleManagers } from '../helpers/manager-process-bundle.ts';
import { type MainProcess, startMain } from '../helpers/manager-process-main.ts';
import { testDatabase } from '../helpers/postgres.ts';
import { runnerBundle } from '../helpers/runner-process.ts';
import { eventually, payloadsOf } from '../helpers/runner-setup.ts';
import { CHAOS_AGENT, expectOneEnd, figure, phaseOf, runEnded } from './chaos-world.ts';

const PAUSE_MS = 20;

/**
 * Kills the manager in the middle of a turn, each time for so long: the agent goes on, its runner is adopted, and what
 * the agent tells meanwhile comes when there is a manager again. All within the lease of the lane, which is 90 s.
 */
export async function managerAway(awayMs: readonly number[]): Promise<void> {
  const database = await testDatabase();
  const managers = await bundleManagers();
  const folder = await mkdtemp(join(tmpdir(), 'agentrun-chaos-'));
  const options = {
    program: managers.main,
    folder,
    databaseUrl: database.url,
    port: await freePort(),
    runner: [process.execPath, join(runnerBundle(), 'main.js')],
  };
  let manager: MainProcess | undefined;
  try {
    manager = await startMain(options);
    await manager.ask('PUT', 'provider-profiles/chaos/config', { backend: 'command', command: CHAOS_AGENT });
    const told = Math.ceil((awayMs.reduce((sum, each) => sum + each, 0) + awayMs.length * 1000 + 500) / PAUSE_MS);
    const { id: runId } = await manager.createRun({ backendProfile: 'chaos', executionPolicy: { oneShot: true } });
    const turn = await manager.turn(runId, `[[count ${told} ${PAUSE_MS}]]`);
    await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    for (const ms of awayMs) {
      const before = payloadsOf(await manager.events(runId), 'tool_end').length;
      const current = manager;
      await eventually(
        () => current.events(runId),
        (events) => payloadsOf(events, 'tool_end').length > before,
        'news of the agent',
      );
      await manager.kill('SIGKILL');
      await delay(ms);
      manager = await startMain(options);
    }
    const backAt = Date.now();
    const run = await runEnded(manager, runId);
    const events = await manager.events(runId);
    expect(run, manager.said()).toMatchObject({ status: 'completed', leaseEpoch: 1 });
    expect(payloadsOf(events, 'tool_end').map(({ output }) => Number(output))).toEqual(
      Array.from({ length: told }, (_each, index) => index + 1),
    );
    expect(payloadsOf(events, 'tool_begin')).toHaveLength(told);
    expect(events.filter((event) => phaseOf(event) === 'run-claimed')).toHaveLength(1);
    expectOneEnd(events, [turn.id]);
    expect(await manager.ask('GET', 'doctor')).toMatchObject({ ok: true, violations: [] });
    figure(
      'kill -9 of the manager',
      `away for ${awayMs.map((ms) => ms / 1000).join(', ')} s during one turn; ${told} of ${told} results of the agent stored, each once and in order, by the same runner; done ${Date.now() - backAt} ms after it was back`,
    );
  } finally {
    await manager?.kill('SIGKILL');
    killAllWith(folder);
    await managers.remove();
    await database.drop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

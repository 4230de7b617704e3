import { expect } from 'vitest';
import { TURN_OUTPUT_BYTES } from '../../runner/src/backends/backend.ts';
import type { PlacedManager } from '../helpers/placed-manager.ts';
import { payloadsOf } from '../helpers/runner-setup.ts';
import {
  attemptOf,
  expectHealthy,
  expectOneEnd,
  figure,
  isRunner,
  livingOf,
  processFile,
  runEnded,
  runnerPid,
} from './chaos-world.ts';

interface Output {
  readonly name: string;
  readonly profile: string;
  readonly prompt: string;
  /** What must be in the texts of its messages. */
  readonly says: RegExp;
}

export const OUTPUTS: readonly Output[] = [
  { name: '100 MB in short lines', profile: 'scripted', prompt: '[[flood]]', says: /^x{999}\n/ },
  { name: 'one line of 50 MB', profile: 'scripted', prompt: '[[line]]', says: /bytes cut[^]*y{999}/ },
  {
    name: 'bytes that are no text, and events that are none',
    profile: 'scripted',
    prompt: '[[garbage]]',
    says: /tool_begin/,
  },
  {
    name: 'lines in halves',
    profile: 'chaos',
    prompt: '[[halves]]',
    says: /^häl0ve[^]*häl19ve[^]*the last line has no end/,
  },
];

/** Streamed output, the results that repeat it, and what tells of them. */
const MOST_BYTES = 3 * TURN_OUTPUT_BYTES;

/** Lets an agent put something out: the turn ends as it would, and what the manager keeps of it is bounded. */
export async function putOut(manager: PlacedManager, output: Output): Promise<void> {
  const begun = performance.now();
  const { runId, turnId } = await manager.placedTurn(output.prompt, { backendProfile: output.profile });
  let peak = 0;
  const attempt = await attemptOf(manager, runId);
  const watch = setInterval(() => {
    for (const pid of livingOf(attempt)) if (isRunner(pid)) peak = Math.max(peak, peakOf(pid));
  }, 250);
  try {
    await runEnded(manager, runId);
  } finally {
    clearInterval(watch);
  }
  const events = await manager.events(runId);
  expect(await manager.command(runId, turnId)).toMatchObject({ terminalStatus: 'completed', failureKind: null });
  expectOneEnd(events, [turnId]);
  const said = payloadsOf(events, 'assistant_message').map(({ text }) => text);
  expect(output.says.test(said.join('\n'))).toBe(true);
  const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event.payload ?? {})), 0);
  expect(bytes).toBeLessThan(MOST_BYTES);
  expect(await runnerPid(manager, runId)).toBeGreaterThan(0);
  await expectHealthy(manager);
  const seconds = (performance.now() - begun) / 1000;
  figure(
    output.name,
    `${events.length} events with ${(bytes / 1e6).toFixed(2)} MB kept, of at most ${(MOST_BYTES / 1e6).toFixed(0)} MB; completed after ${seconds.toFixed(1)} s; runner at most ${peak.toFixed(0)} MB`,
  );
}

/** The most memory that a process had, in MB; 0 where that cannot be seen. */
function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(processFile(pid, 'status'))?.[1] ?? 0) / 1024;
}

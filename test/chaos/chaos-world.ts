import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '@agentrun/lib/contract';
import { expect } from 'vitest';
import type { LaneConfig } from '../../manager/src/config.ts';
import type { CommandRecord } from '../../manager/src/store/commands.ts';
import type { RunRecord } from '../../manager/src/store/runs.ts';
import { livingWith } from '../helpers/living-processes.ts';
import type { ManagerClient } from '../helpers/manager-client.ts';
import { type PlacedManager, placedManager } from '../helpers/placed-manager.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';
import { eventually, payloadsOf } from '../helpers/runner-setup.ts';

const FIXTURES = join(REPOSITORY, 'test', 'fixtures', 'agents');
/** Programs for the backend `command`. */
export const CHAOS_AGENT = ['{node}', join(FIXTURES, 'chaos-agent.mjs')];
const SCRIPTED = ['{node}', join(FIXTURES, 'scripted-agent.mjs')];
export const COUNTING_APP_SERVER = join(FIXTURES, 'counting-app-server.mjs');

/** Does a scene with a manager of its own, which has a profile for each agent of the chaos. */
export async function withManager(
  config: Partial<LaneConfig>,
  scene: (manager: PlacedManager) => Promise<void>,
): Promise<void> {
  const manager = await placedManager(config);
  try {
    await manager.profile('chaos', { backend: 'command', command: CHAOS_AGENT });
    await manager.profile('scripted', { backend: 'command', command: SCRIPTED });
    await scene(manager);
  } finally {
    await manager.stop();
  }
}

/** A line with what a scene came to. */
export function figure(scene: string, text: string): void {
  process.stdout.write(`chaos: ${scene}: ${text}\n`);
}

/** One look at what a marking agent was doing: `[[mark]]` of the chaos agent. */
export interface Mark {
  /** Milliseconds since 1970, on the clock that all processes here share. */
  readonly at: number;
  readonly pid: number;
  readonly attemptId: string;
}

export function marksIn(workspace: string): Mark[] {
  const file = join(workspace, 'marks.txt');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return lines.flatMap((line) => {
    const [at, pid, attemptId] = line.split(' ');
    return attemptId === undefined ? [] : [{ at: Number(at), pid: Number(pid), attemptId }];
  });
}

/** The workspace of a run without a session. */
export const workspaceOf = (manager: { readonly dataDir: string }, runId: string): string =>
  join(manager.dataDir, 'runs', runId, 'workspace');

/** Waits until both the agent and its grandchild are at work. */
export async function marking(workspace: string): Promise<Mark[]> {
  return await eventually(
    () => marksIn(workspace),
    (marks) => new Set(marks.map(({ pid }) => pid)).size >= 2,
    'two that mark',
  );
}

/** A run whose first turn marks without an end, and whose second one waits. */
export async function markingRun(manager: PlacedManager) {
  const { runId, turnId } = await manager.placedTurn('[[mark]]', { backendProfile: 'chaos' });
  const next = await manager.turn(runId, 'hello');
  const workspace = workspaceOf(manager, runId);
  return { runId, turnId, next, workspace, marks: await marking(workspace) };
}

/** Waits until the log has a tool call of the run: what is lost then is not delivered again. */
export async function toolCalled(manager: PlacedManager, runId: string): Promise<void> {
  await eventually(
    () => manager.events(runId),
    (events) => payloadsOf(events, 'tool_begin').length > 0,
    'the tool call',
  );
}

/** The pid of the runner that holds the run, as it told the manager. */
export async function runnerPid(manager: ManagerClient, runId: string): Promise<number> {
  const { items } = await manager.ask<{ items: { metadata: { pid: number } }[] }>('GET', `runners?runId=${runId}`);
  return items.at(-1)?.metadata.pid ?? 0;
}

/** The attempt that was started first for a run. */
export async function attemptOf(manager: ManagerClient, runId: string): Promise<string> {
  const { items } = await manager.ask<{ items: { attemptId: string }[] }>('GET', `runs/${runId}/runner-jobs`);
  return items[0]?.attemptId ?? '';
}

export const runEnded = (manager: ManagerClient, runId: string): Promise<RunRecord> =>
  eventually(
    () => manager.run(runId),
    ({ terminalStatus }) => terminalStatus !== null,
    `the end of ${runId}`,
  );

export const commandEnded = (manager: ManagerClient, runId: string, id: string): Promise<CommandRecord> =>
  eventually(
    () => manager.command(runId, id),
    ({ terminalStatus }) => terminalStatus !== null,
    `the end of ${id}`,
  );

export const livingOf = (attemptId: string): number[] => livingWith(`AGENTRUN_ATTEMPT_ID=${attemptId}`);

/** Whether it is the runner of its attempt, and not what that started. */
export const isRunner = (pid: number): boolean => processFile(pid, 'cmdline').includes('main.js');

/** A file that the system keeps of a process; empty when that is gone. */
export function processFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

export const phaseOf = ({ payload }: RunEvent): unknown => payload?.['phase'];

/** When the last claim of the run was, on the clock of the database, which is that of this machine. */
export function lastClaim(events: readonly RunEvent[]): number {
  return Date.parse(events.findLast((event) => phaseOf(event) === 'run-claimed')?.createdAt ?? '');
}

/** Each command ended once, the run ended once, and no event is missing between the others. */
export function expectOneEnd(events: readonly RunEvent[], commands: readonly string[]): void {
  const ends = events
    .filter((event) => phaseOf(event) === 'command-terminal')
    .map(({ payload }) => payload?.['commandId']);
  expect(ends).toHaveLength(commands.length);
  expect(new Set(ends)).toEqual(new Set(commands));
  expect(events.filter(({ type }) => type === 'terminal_status')).toHaveLength(1);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
}

/** What must always hold in the database does. */
export async function expectHealthy(manager: PlacedManager): Promise<void> {
  expect(await manager.ask('GET', 'doctor')).toMatchObject({ ok: true, violations: [] });
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { CommandRecord } from '../../manager/src/store/commands.ts';
import type { PlacedManager } from '../helpers/placed-manager.ts';
import { COUNTING_APP_SERVER, commandEnded, expectHealthy, figure, runEnded } from './chaos-world.ts';

interface Sent {
  readonly runId: string;
  readonly text: string;
  /** Null: the manager refused it, as there was no turn to steer. */
  readonly command: CommandRecord | null;
}

/** Turns of so many milliseconds, and how long after them steers still come. */
const SHORTEST_MS = 300;
const LONGEST_MS = 900;
const AFTER_MS = 50;

/**
 * Sends steers around the ends of turns, a third of them to become turns when they come too late. What the agent took is
 * in its own log, and must be what their senders were told.
 */
export async function steerAroundEnds(
  manager: PlacedManager,
  count: number,
  lanes: number,
  batch: number,
): Promise<void> {
  const log = join(manager.dataDir, 'steers.txt');
  writeFileSync(log, '');
  await manager.profile('counting', {
    backend: 'codex',
    env: { STEER_LOG: log },
    options: { executable: COUNTING_APP_SERVER },
  });
  const sent: Sent[] = [];
  let left = Math.ceil(count / batch);
  let number = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      const { runId } = await manager.placedTurn('the first', { backendProfile: 'counting' });
      while (left > 0) {
        left -= 1;
        const texts = Array.from({ length: batch }, () => `text-${++number}`);
        sent.push(...(await steerTurn(manager, runId, texts)));
      }
      const own = sent.filter((each) => each.runId === runId);
      for (const { command } of own) if (command !== null) await commandEnded(manager, runId, command.id);
    }),
  );
  const took = new Map<string, string[]>();
  const outcomes = { refused: 0, accepted: 0, tooLate: 0, becameTurns: 0 };
  const open = new Set(sent.map(({ runId }) => runId));
  const wrong: unknown[] = [];
  for (const each of sent) {
    const { runId, command } = each;
    const expected = await expectedOf(manager, runId, command);
    outcomes[expected.outcome] += 1;
    if (expected.times === undefined) wrong.push(each);
    took.set(
      each.text,
      Array.from({ length: expected.times ?? 0 }, () => expected.as),
    );
  }
  expect(wrong).toEqual([]);
  for (const line of readFileSync(log, 'utf8').trim().split('\n')) {
    const [as = '', text = ''] = line.split(' ');
    if (!text.startsWith('text-')) continue;
    const missing = took.get(text) ?? [];
    // More than was told, or by another way.
    if (missing.shift() !== as) wrong.push(line);
  }
  expect(wrong).toEqual([]);
  // Less than was told.
  expect([...took].filter(([, missing]) => missing.length > 0)).toEqual([]);
  for (const runId of open) {
    await manager.ask('POST', `runs/${runId}/cancel`).catch(() => undefined);
    await runEnded(manager, runId);
  }
  await expectHealthy(manager);
  figure(
    'steers',
    `${sent.length} around the ends of turns: ${outcomes.accepted} taken by their turn, ${outcomes.becameTurns} became turns, ${outcomes.tooLate} told that they came too late, ${outcomes.refused} refused at once; none lost, none twice`,
  );
}

/** One turn, and steers from its begin until after its end. */
async function steerTurn(manager: PlacedManager, runId: string, texts: readonly string[]): Promise<Sent[]> {
  const ms = Math.round(SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS));
  const turn = await manager.turn(runId, `a turn for ${ms}`);
  // Until its runner has taken it up there is nothing to steer.
  for (const until = performance.now() + 10_000; performance.now() < until; await delay(5)) {
    if ((await manager.command(runId, turn.id)).state !== 'pending') break;
  }
  return await Promise.all(
    texts.map(async (text, index): Promise<Sent> => {
      // Half of them close to its end.
      const from = index % 2 === 0 ? 0 : ms - 2 * AFTER_MS;
      await delay(from + Math.random() * (ms + AFTER_MS - from));
      const answer = await manager.request<CommandRecord>('POST', `runs/${runId}/commands`, {
        type: 'steer',
        payload: { prompt: text },
        ifTurnEnded: index % 3 === 0 ? 'turn' : 'reject',
      });
      if (!answer.ok) expect(answer).toMatchObject({ status: 409, failureKind: 'conflict' });
      return { runId, text, command: answer.ok ? answer.data : null };
    }),
  );
}

/** What the agent must have seen of a text; `times` is undefined for an outcome that there must not be. */
async function expectedOf(manager: PlacedManager, runId: string, command: CommandRecord | null) {
  if (command === null) return { outcome: 'refused', as: '', times: 0 } as const;
  const ended = await commandEnded(manager, runId, command.id);
  const isDone = ended.terminalStatus === 'completed';
  if (ended.type === 'turn') return { outcome: 'becameTurns', as: 'turn', times: isDone ? 1 : undefined } as const;
  if (isDone) return { outcome: 'accepted', as: 'steer', times: 1 } as const;
  if (ended.failureKind !== 'steer-not-applied') return { outcome: 'tooLate', as: '', times: undefined } as const;
  const turnId = ended.steerDelivery?.['convertedTo'];
  if (typeof turnId !== 'string') return { outcome: 'tooLate', as: '', times: 0 } as const;
  const turn = await commandEnded(manager, runId, turnId);
  return { outcome: 'becameTurns', as: 'turn', times: turn.terminalStatus === 'completed' ? 1 : undefined } as const;
}

import type { Sql } from '../db/transaction.ts';
import { newId } from '../ids.ts';
import { type CommandRow, insertCommand, lockOpenCommands, turnUnderWay } from '../store/commands.ts';
import { addEvents } from '../store/events.ts';
import type { RunRow } from '../store/runs.ts';
import { noteCommand } from '../store/session-notes.ts';
import { closeCommand, failed } from './ending.ts';
import type { Manager } from './manager.ts';

/**
 * Ends a steer that did not reach its turn. With `ifTurnEnded: turn`, and when the turn had ended, its text becomes a
 * turn of the same run in the same transaction. The caller holds the locks of the run and its session.
 */
export async function rejectSteer(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  steer: CommandRow,
  reason: 'turn-ended' | 'unsupported' | 'superseded',
  message: string | null,
): Promise<CommandRow | null> {
  const becomesTurn = reason === 'turn-ended' && steer.steer_delivery?.ifTurnEnded === 'turn';
  const turn = becomesTurn && run.cancel_requested_at === null ? await turnOf(sql, run, steer) : undefined;
  return await closeCommand(
    manager,
    sql,
    run,
    steer,
    {
      ...failed('failed', 'steer-not-applied', message ?? MESSAGES[reason]),
      steerDelivery: { reason, ...(turn === undefined ? {} : { convertedTo: turn.id }) },
    },
    undefined,
  );
}

const MESSAGES = {
  'turn-ended': 'the turn had ended',
  unsupported: 'the agent takes no text during a turn',
  superseded: 'another command came first',
} as const;

async function turnOf(sql: Sql, run: RunRow, steer: CommandRow): Promise<CommandRow> {
  const turn = await insertCommand(sql, {
    id: newId('cmd'),
    run_id: run.id,
    type: 'turn',
    payload: steer.payload,
    payload_hash: steer.payload_hash,
    idempotency_key: null,
    target_command_id: null,
    steer_delivery: null,
  });
  await addEvents(sql, run.id, [
    {
      type: 'backend_status',
      payload: { phase: 'command-created', commandId: turn.id, commandType: 'turn', convertedFrom: steer.id },
    },
  ]);
  if (run.session_id !== null) {
    await noteCommand(sql, run.session_id, { id: turn.id, runId: run.id, isTurn: true, title: null });
  }
  return turn;
}

/** Ends the steers that nobody has taken up and whose turn has ended. */
export async function rejectSteersOf(manager: Manager, sql: Sql, run: RunRow, turnId: string): Promise<void> {
  for (const steer of await lockOpenCommands(sql, run.id)) {
    if (steer.type === 'steer' && steer.state === 'pending' && steer.target_command_id === turnId) {
      await rejectSteer(manager, sql, run, steer, 'turn-ended', null);
    }
  }
}

/** The turn of the run that goes on or comes next when another one ends: the one under way, else the first that waits. */
export async function nextTurn(sql: Sql, runId: string, endedId: string): Promise<CommandRow | undefined> {
  const turns = (await lockOpenCommands(sql, runId)).filter(({ type, id }) => type === 'turn' && id !== endedId);
  return turnUnderWay(turns) ?? turns[0];
}

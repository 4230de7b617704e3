import type { CANCEL_STAGES, CancelPhase, EventInput } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import type { CommandRow } from '../store/commands.ts';
import { addEvents } from '../store/events.ts';
import { stampCommandReceipt, stampRunReceipt } from '../store/receipts.ts';
import type { RunRow } from '../store/runs.ts';
import type { Manager } from './manager.ts';

export type CancelStage = (typeof CANCEL_STAGES)[number];

/**
 * Writes the receipt of a stage of a run's cancel, once, if a cancel was asked for; and its event, where the lane wants
 * that one and the run is open. The caller holds the lock of the run.
 */
export async function cancelReceipt(manager: Manager, sql: Sql, run: RunRow, stage: CancelStage): Promise<void> {
  if (run.cancel_requested_at === null) return;
  const phase: CancelPhase = `cancel-${stage}`;
  const isNew = await stampRunReceipt(sql, run.id, phase);
  if (isNew && run.terminal_status === null) await tell(manager, sql, run.id, stage, { reason: run.cancel_reason });
}

/** The same for the cancel of a turn. */
export async function turnCancelReceipt(
  manager: Manager,
  sql: Sql,
  command: CommandRow,
  stage: CancelStage,
): Promise<void> {
  if (command.cancel_requested_at === null) return;
  const isNew = await stampCommandReceipt(sql, command.id, `cancel-${stage}`);
  if (isNew) await tell(manager, sql, command.run_id, stage, { commandId: command.id, reason: command.cancel_reason });
}

async function tell(manager: Manager, sql: Sql, runId: string, stage: CancelStage, facts: object): Promise<void> {
  if (!manager.config.cancelEventStages.includes(stage)) return;
  const event: EventInput = {
    type: 'backend_status',
    payload: manager.redact.json({ phase: `cancel-${stage}`, ...facts }),
  };
  await addEvents(sql, runId, [event]);
}

import type {
  CancelReceipts,
  CommandPayload,
  CommandState,
  CommandType,
  FailureKind,
  TerminalStatus,
} from '@agentrun/lib/contract';
import { commandStateOf } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { iso, isoOrNull } from './time.ts';

/** How a steer is to be delivered, and how it was. */
export interface SteerDelivery {
  readonly targetCommandId?: string;
  readonly ifTurnEnded?: 'turn' | 'reject';
  readonly reason?: 'turn-ended' | 'unsupported' | 'superseded';
  readonly convertedTo?: string;
}

export interface CommandRow {
  readonly id: string;
  readonly run_id: string;
  readonly seq: number;
  readonly type: CommandType;
  readonly payload: CommandPayload;
  readonly payload_hash: string;
  readonly idempotency_key: string | null;
  readonly state: CommandState;
  readonly terminal_status: TerminalStatus | null;
  readonly failure_kind: FailureKind | null;
  readonly failure_message: string | null;
  readonly diagnosis: Record<string, unknown> | null;
  readonly thread_id: string | null;
  readonly turn_id: string | null;
  readonly target_command_id: string | null;
  readonly steer_delivery: SteerDelivery | null;
  readonly cancel_requested_at: Date | null;
  readonly cancel_reason: string | null;
  readonly cancel_receipts: CancelReceipts;
  readonly attempt_id: string | null;
  readonly acknowledged_at: Date | null;
  readonly acknowledged_seq: number | null;
  readonly output_text: string | null;
  readonly output_truncated: boolean;
  readonly usage: Record<string, unknown> | null;
  /** Per path: insertions, deletions, bytes of the diffs. */
  readonly changes: Readonly<Record<string, readonly [number, number, number]>> | null;
  readonly ended_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export async function findCommand(sql: Sql, id: string): Promise<CommandRow | undefined> {
  const { rows } = await sql.query<CommandRow>({
    name: 'find-command',
    text: 'SELECT * FROM agentrun_commands WHERE id = $1',
    values: [id],
  });
  return rows[0];
}

/** The rows whose state is open, in order, locked: the caller holds the lock of the run. */
export async function lockOpenCommands(sql: Sql, runId: string): Promise<CommandRow[]> {
  const { rows } = await sql.query<CommandRow>({
    name: 'lock-open-commands',
    text: `SELECT * FROM agentrun_commands WHERE run_id = $1 AND terminal_status IS NULL ORDER BY seq FOR NO KEY UPDATE`,
    values: [runId],
  });
  return rows;
}

/** The same without a lock, for those who only look. */
export async function listOpenCommands(sql: Sql, runId: string): Promise<CommandRow[]> {
  const { rows } = await sql.query<CommandRow>(
    'SELECT * FROM agentrun_commands WHERE run_id = $1 AND terminal_status IS NULL ORDER BY seq',
    [runId],
  );
  return rows;
}

/** Of open commands, the turn that an attempt has taken up. */
export function turnUnderWay(open: readonly CommandRow[]): CommandRow | undefined {
  return open.find(({ type, state }) => type === 'turn' && state === 'acknowledged');
}

export async function listCommands(sql: Sql, runId: string, afterSeq: number, limit: number): Promise<CommandRow[]> {
  const { rows } = await sql.query<CommandRow>({
    name: 'list-commands',
    text: 'SELECT * FROM agentrun_commands WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT $3',
    values: [runId, afterSeq, limit],
  });
  return rows;
}

/** The newest turn of a run, open or not. */
export async function findLastCommand(sql: Sql, runId: string): Promise<CommandRow | undefined> {
  const { rows } = await sql.query<CommandRow>(
    `SELECT * FROM agentrun_commands WHERE run_id = $1 AND type = 'turn' ORDER BY seq DESC LIMIT 1`,
    [runId],
  );
  return rows[0];
}

/** Acknowledged turns whose cancel was asked for. */
export async function listCancelledTurns(sql: Sql, runId: string): Promise<CommandRow[]> {
  const { rows } = await sql.query<CommandRow>({
    name: 'list-cancelled-turns',
    text: `SELECT * FROM agentrun_commands WHERE run_id = $1 AND terminal_status IS NULL AND type = 'turn'
        AND state = 'acknowledged' AND cancel_requested_at IS NOT NULL`,
    values: [runId],
  });
  return rows;
}

/** The last turn of a run that has ended, in the order of its end. */
export async function findLastEndedTurn(sql: Sql, runId: string): Promise<CommandRow | undefined> {
  const { rows } = await sql.query<CommandRow>(
    `SELECT * FROM agentrun_commands WHERE run_id = $1 AND type = 'turn' AND terminal_status IS NOT NULL
     ORDER BY ended_at DESC, seq DESC LIMIT 1`,
    [runId],
  );
  return rows[0];
}

export type NewCommand = Pick<
  CommandRow,
  'id' | 'run_id' | 'type' | 'payload' | 'payload_hash' | 'idempotency_key' | 'target_command_id' | 'steer_delivery'
>;

/** Inserts a pending command with the next number of its run, which the caller has locked. */
export async function insertCommand(sql: Sql, command: NewCommand): Promise<CommandRow> {
  const { rows } = await sql.query<CommandRow>({
    name: 'insert-command',
    text: `WITH run AS (
        UPDATE agentrun_runs SET last_command_seq = last_command_seq + 1, updated_at = clock_timestamp()
        WHERE id = $2 RETURNING last_command_seq)
      INSERT INTO agentrun_commands
        (id, run_id, seq, type, payload, payload_hash, idempotency_key, target_command_id, steer_delivery)
      SELECT $1, $2, run.last_command_seq, $3, $4, $5, $6, $7, $8 FROM run RETURNING *`,
    values: [
      command.id,
      command.run_id,
      command.type,
      command.payload,
      command.payload_hash,
      command.idempotency_key,
      command.target_command_id,
      command.steer_delivery,
    ],
  });
  return rows[0] as CommandRow;
}

/** Marks a pending command as delivered to an attempt; undefined when it is not pending any more. */
export async function acknowledge(
  sql: Sql,
  id: string,
  attemptId: string,
  seq: number,
): Promise<CommandRow | undefined> {
  const { rows } = await sql.query<CommandRow>({
    name: 'acknowledge',
    text: `UPDATE agentrun_commands SET state = 'acknowledged', attempt_id = $2, acknowledged_seq = $3,
        acknowledged_at = clock_timestamp(), updated_at = clock_timestamp()
      WHERE id = $1 AND state = 'pending' RETURNING *`,
    values: [id, attemptId, seq],
  });
  return rows[0];
}

/** Takes the acknowledgement back: the command was lost with its attempt before anything came of it. */
export async function redeliver(sql: Sql, id: string): Promise<void> {
  await sql.query(
    `UPDATE agentrun_commands SET state = 'pending', attempt_id = NULL, acknowledged_seq = NULL,
       acknowledged_at = NULL, updated_at = clock_timestamp()
     WHERE id = $1 AND state = 'acknowledged'`,
    [id],
  );
}

export interface CommandOutcome {
  readonly terminalStatus: TerminalStatus;
  readonly failureKind: FailureKind | null;
  readonly failureMessage: string | null;
  readonly threadId?: string | null;
  readonly turnId?: string | null;
  readonly diagnosis?: Record<string, unknown> | null;
  readonly steerDelivery?: SteerDelivery | null;
}

/** Ends an open command; undefined when it has ended already. */
export async function endCommand(sql: Sql, id: string, outcome: CommandOutcome): Promise<CommandRow | undefined> {
  const { rows } = await sql.query<CommandRow>({
    name: 'end-command',
    text: `UPDATE agentrun_commands SET state = $2, terminal_status = $3, failure_kind = $4, failure_message = $5,
        thread_id = coalesce($6, thread_id), turn_id = coalesce($7, turn_id), diagnosis = coalesce($8, diagnosis),
        steer_delivery = CASE WHEN type = 'steer' THEN coalesce(steer_delivery, '{}'::jsonb) || coalesce($9::jsonb, '{}'::jsonb) END,
        ended_at = clock_timestamp(), updated_at = clock_timestamp()
      WHERE id = $1 AND terminal_status IS NULL RETURNING *`,
    values: [
      id,
      commandStateOf(outcome.terminalStatus),
      outcome.terminalStatus,
      outcome.failureKind,
      outcome.failureMessage,
      outcome.threadId ?? null,
      outcome.turnId ?? null,
      outcome.diagnosis ?? null,
      outcome.steerDelivery ?? null,
    ],
  });
  return rows[0];
}

/** Keeps what an append told of a command, for its result. Texts are added at the end, up to `limit` characters. */
export async function keepResult(
  sql: Sql,
  runId: string,
  id: string,
  part: { readonly output?: string; readonly usage?: object; readonly changes?: object },
  limit: number,
): Promise<void> {
  await sql.query({
    name: 'keep-result',
    text: `UPDATE agentrun_commands SET
        output_text = CASE WHEN $2::text IS NULL THEN output_text
          ELSE left(coalesce(output_text || E'\\n\\n', '') || $2, $5) END,
        output_truncated = output_truncated
          OR ($2::text IS NOT NULL AND length(coalesce(output_text || E'\\n\\n', '') || $2) > $5),
        usage = coalesce($3, usage), changes = coalesce($4, changes)
      WHERE id = $1 AND run_id = $6`,
    values: [id, part.output ?? null, part.usage ?? null, part.changes ?? null, limit, runId],
  });
}

/** The command as its reader may see it; the caller redacts. */
export function commandRecord(row: CommandRow) {
  return {
    id: row.id,
    runId: row.run_id,
    seq: row.seq,
    type: row.type,
    payload: row.payload,
    payloadHash: row.payload_hash,
    ...(row.idempotency_key === null ? {} : { idempotencyKey: row.idempotency_key }),
    state: row.state,
    terminalStatus: row.terminal_status,
    failureKind: row.failure_kind,
    failureMessage: row.failure_message,
    threadId: row.thread_id,
    turnId: row.turn_id,
    steerDelivery: row.steer_delivery,
    cancelRequestedAt: isoOrNull(row.cancel_requested_at),
    cancelReason: row.cancel_reason,
    cancelReceipts: row.cancel_receipts,
    diagnosis: row.diagnosis,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
    acknowledgedAt: isoOrNull(row.acknowledged_at),
  };
}
export type CommandRecord = ReturnType<typeof commandRecord>;

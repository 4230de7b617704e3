import { type CommandPayload, type CreateCommand, PROMPT_BYTES } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { newId } from '../ids.ts';
import { invalidField } from '../invalid-field.ts';
import {
  type CommandRecord,
  type CommandRow,
  commandRecord,
  insertCommand,
  lockOpenCommands,
  turnUnderWay,
} from '../store/commands.ts';
import { addEvents } from '../store/events.ts';
import type { RunRow } from '../store/runs.ts';
import { noteCommand, raiseVersion } from '../store/session-notes.ts';
import { lockRunAndSession } from './holder.ts';
import { idempotent, type Key, requestHash } from './idempotent.ts';
import { change, type Manager } from './manager.ts';

/**
 * Looks at what the schema cannot: it counts characters, and the limit of a prompt is one of bytes.
 *
 * @throws Failure `schema-invalid`
 */
export function assertPromptSize({ prompt }: CommandPayload, path: string): void {
  const bytes = Buffer.byteLength(prompt);
  if (bytes > PROMPT_BYTES) throw invalidField(path, `is ${bytes} bytes long; at most ${PROMPT_BYTES} are allowed`);
}

/** A command for a run; see {@link createCommandIn}. */
export async function createCommand(
  manager: Manager,
  runId: string,
  input: CreateCommand,
  key: Key | undefined,
): Promise<CommandRecord> {
  assertPromptSize(input.payload, 'body.payload.prompt');
  return await change(manager, runId, (sql) =>
    idempotent(sql, key, async () => {
      const run = await lockRunAndSession(sql, runId);
      return manager.redact.json(commandRecord(await createCommandIn(manager, sql, run, input, key?.key ?? null)));
    }),
  );
}

/**
 * Adds a command to a run whose locks the caller holds. Turns wait for their turn. A steer needs a turn that is under
 * way, by default the one that is.
 *
 * @throws Failure `already-terminal` for a run that has ended or is being cancelled; `conflict` for a steer without its
 *   turn, unless `ifTurnEnded` makes it one.
 */
export async function createCommandIn(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  input: Omit<CreateCommand, 'idempotencyKey'>,
  key: string | null,
): Promise<CommandRow> {
  if (run.terminal_status !== null || run.status === 'cancelling') {
    throw new Failure('already-terminal', `run ${run.id} takes no more commands: it is ${run.status}`, {
      details: { status: run.status, failureKind: run.failure_kind },
    });
  }
  const target = input.type === 'steer' ? await targetOf(sql, run, input) : undefined;
  const isTurn = input.type === 'turn' || target === null;
  const command = await insertCommand(sql, {
    id: newId('cmd'),
    run_id: run.id,
    type: isTurn ? 'turn' : 'steer',
    payload: input.payload,
    payload_hash: requestHash({ type: input.type, payload: input.payload }),
    idempotency_key: key,
    target_command_id: target?.id ?? null,
    steer_delivery: target ? { targetCommandId: target.id, ifTurnEnded: input.ifTurnEnded ?? 'reject' } : null,
  });
  await addEvents(sql, run.id, [
    {
      type: 'backend_status',
      payload: {
        phase: 'command-created',
        commandId: command.id,
        commandType: command.type,
        ...(target ? { targetCommandId: target.id } : {}),
      },
    },
  ]);
  if (run.session_id !== null) {
    await noteCommand(sql, run.session_id, {
      id: command.id,
      runId: run.id,
      isTurn,
      title: titleOf(manager, input.payload),
    });
    await raiseVersion(sql, run.session_id);
  }
  return command;
}

/** The turn that a steer is for; null when it becomes a turn itself. */
async function targetOf(
  sql: Sql,
  run: RunRow,
  { targetCommandId, ifTurnEnded = 'reject' }: Pick<CreateCommand, 'targetCommandId' | 'ifTurnEnded'>,
): Promise<CommandRow | null> {
  const current = turnUnderWay(await lockOpenCommands(sql, run.id));
  if (current !== undefined && (targetCommandId === undefined || targetCommandId === current.id)) return current;
  if (ifTurnEnded === 'turn') return null;
  throw new Failure(
    'conflict',
    targetCommandId === undefined
      ? `run ${run.id} has no turn under way to steer`
      : `turn ${targetCommandId} is not under way in run ${run.id}`,
    { details: { targetCommandId: targetCommandId ?? null, currentTurn: current?.id ?? null } },
  );
}

const TITLE = 80;

/** The first line of the first prompt. */
function titleOf(manager: Manager, payload: CommandPayload): string {
  const line = manager.redact.text(payload.prompt).trim().split('\n', 1)[0] ?? '';
  return line.length > TITLE
    ? `${line
        .slice(0, TITLE - 1)
        .replace(/[\uD800-\uDBFF]$/, '')
        .trimEnd()}…`
    : line;
}

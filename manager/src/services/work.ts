import { NEXT_WAIT_MS } from '@agentrun/lib/contract';
import { codeOf } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { acknowledge, type CommandRecord, type CommandRow, commandRecord, findCommand } from '../store/commands.ts';
import { addEvents, hasSaid } from '../store/events.ts';
import { setRunning } from '../store/run-state.ts';
import { noteAcknowledged, raiseVersion } from '../store/session-notes.ts';
import { iso } from '../store/time.ts';
import { lookForWork, type RunLook } from '../store/work.ts';
import { asHolder, type Caller, endedByCaller, fenced, holds, recordRefusal } from './holder.ts';
import { deliverCancels, hasCancelNews } from './leased-run.ts';
import type { Manager } from './manager.ts';
import { noRun } from './run-row.ts';
import { userMessage } from './user-message.ts';

const ITEMS = 20;
/** A waiting poll looks by itself this often: a wake-up may be lost with a connection. */
const LOOK_MS = 5000;

/** What {@link nextCommands} answers; payloads are not redacted: they are for the agent. */
export interface NextCommands {
  readonly items: readonly CommandRecord[];
  readonly run: {
    readonly status: string;
    readonly cancelRequestedAt: string | null;
    readonly cancelCommandIds: readonly string[];
  };
  readonly leaseEpoch: number;
  readonly serverTime: string;
}

/**
 * The open commands after a number, at most 20, and what is to be cancelled. Waits up to `waitMs` while there is nothing
 * new; no connection to the database is held while it waits. Asking changes nothing but the receipt that a cancel was
 * delivered.
 */
export async function nextCommands(
  manager: Manager,
  caller: Caller,
  ask: { readonly afterSeq: number; readonly waitMs: number; readonly signal?: AbortSignal },
): Promise<NextCommands> {
  const deadline = performance.now() + Math.min(ask.waitMs, NEXT_WAIT_MS);
  const news = manager.wakeups.listen(caller.runId);
  const onAbort = () => news.close();
  ask.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for (let look = 0; ; look += 1) {
      const { run, items, cancelled } = await lookFor(manager, caller, ask.afterSeq);
      const left = deadline - performance.now();
      const isNew = hasCancelNews(run, cancelled);
      // In mode "poll" a cancel that comes while this waits is told by the heartbeat or the next poll.
      const tells = isNew && (look === 0 || manager.config.cancelDeliveryMode === 'push');
      if (items.length > 0 || tells || left <= 0 || run.terminal_status !== null || ask.signal?.aborted === true) {
        if (isNew) await deliverCancels(manager, run);
        return answer(run, items, cancelled);
      }
      await news.next(Math.min(left, LOOK_MS));
    }
  } finally {
    news.close();
    ask.signal?.removeEventListener('abort', onAbort);
  }
}

async function lookFor(manager: Manager, caller: Caller, afterSeq: number) {
  const seen = await lookForWork(manager.pool, caller.runId, caller.attemptId, afterSeq, ITEMS);
  if (seen === undefined) return noRun(caller.runId);
  const { run } = seen;
  if (endedByCaller(run, caller)) return { run, items: [], cancelled: [] };
  if (holds(run, caller)) return seen;
  const refusal = fenced(run, caller);
  await recordRefusal(manager, caller, refusal);
  throw refusal;
}

function answer(run: RunLook, items: readonly CommandRow[], cancelled: readonly CommandRow[]): NextCommands {
  return {
    items: items.map(commandRecord),
    run: {
      status: run.status,
      cancelRequestedAt: run.cancel_requested_at === null ? null : iso(run.cancel_requested_at),
      cancelCommandIds: cancelled.map(({ id }) => id),
    },
    leaseEpoch: run.lease_epoch,
    serverTime: iso(run.read_at),
  };
}

/**
 * Takes up a command: from then on it is the attempt's to finish. Again is the same answer.
 *
 * @throws Failure `already-terminal` when it has ended; `conflict` when another turn of the run is taken up.
 */
export async function acknowledgeCommand(manager: Manager, caller: Caller, commandId: string): Promise<CommandRecord> {
  return await asHolder(manager, caller, async (sql, run) => {
    const command = await commandOf(sql, run.id, commandId);
    if (command.state === 'acknowledged' && command.attempt_id === caller.attemptId) return commandRecord(command);
    if (command.state !== 'pending') {
      throw new Failure('already-terminal', `command ${commandId} has ended: ${command.state}`, {
        details: { state: command.state, failureKind: command.failure_kind },
      });
    }
    const taken = await acknowledge(sql, commandId, caller.attemptId, run.last_event_seq).catch((error: unknown) => {
      if (codeOf(error) !== '23505') throw error;
      throw new Failure('conflict', `another turn of run ${run.id} is under way: finish that one first`);
    });
    if (taken === undefined) throw new Failure('conflict', `command ${commandId} is not pending any more`);
    // A turn that is delivered again was said once.
    const isNew = taken.type === 'turn' && (run.lease_epoch === 1 || !(await hasSaid(sql, run.id, commandId)));
    const said = isNew ? [userMessage(manager, taken)] : [];
    await addEvents(sql, run.id, [
      {
        type: 'backend_status',
        payload: { phase: 'command-acknowledged', commandId, commandType: taken.type, attemptId: caller.attemptId },
      },
      ...said,
    ]);
    if (taken.type === 'turn') {
      await setRunning(sql, run.id, true);
      if (run.session_id !== null) {
        await noteAcknowledged(sql, run.session_id, run.id, commandId);
        await raiseVersion(sql, run.session_id);
      }
    }
    return commandRecord(taken);
  });
}

/** The command, if it is one of the run's. */
export async function commandOf(
  sql: Parameters<typeof findCommand>[0],
  runId: string,
  commandId: string,
): Promise<CommandRow> {
  const command = await findCommand(sql, commandId);
  if (command === undefined || command.run_id !== runId) {
    throw new Failure('not-found', `run ${runId} has no command ${commandId}`);
  }
  return command;
}

/** The run of a command; undefined when there is no such command. */
export async function runOfCommand(sql: Parameters<typeof findCommand>[0], id: string): Promise<string | undefined> {
  return (await findCommand(sql, id))?.run_id;
}

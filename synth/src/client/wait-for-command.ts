import type { FailureKind, RunEvent, TerminalStatus } from '@agentrun/lib/contract';
import { follow } from './event-stream.ts';
import type { ManagerApi } from './manager-api.ts';
import type { Command } from './records.ts';

/** What is waited for. */
export interface Awaited {
  readonly runId: string;
  readonly commandId: string;
  /** Events of the run up to here are older than the command. */
  readonly afterSeq: number;
  /** Of a steer: the turn that it is for. */
  readonly targetCommandId?: string | undefined;
}

export interface WaitOptions {
  readonly signal: AbortSignal;
  readonly reconnectMs: number;
  readonly onEvent: (event: RunEvent) => void;
  readonly onConnection: (state: 'lost' | 'again', reason: string) => void;
}

/** How a command ended. */
export interface Outcome {
  readonly commandId: string;
  readonly terminalStatus: TerminalStatus;
  readonly failureKind: FailureKind | null;
}

/**
 * Follows a command to its end, through restarts of the manager. A steer leads on to the turn that it reached, or that
 * it became. Only the events of those commands are told, and those of the run itself.
 *
 * @throws ClientError as {@link follow}; what the signal was aborted with
 */
export async function waitForCommand(api: ManagerApi, awaited: Awaited, options: WaitOptions): Promise<Outcome> {
  const { runId, targetCommandId } = awaited;
  const watched = new Set([awaited.commandId, ...(targetCommandId === undefined ? [] : [targetCommandId])]);
  const ended = new Set<string>();
  let { commandId } = awaited;
  const commandNow = () =>
    api.ask<Command>('GET', `runs/${runId}/commands/${commandId}`, options, {
      busyMs: options.reconnectMs,
      absentMs: options.reconnectMs,
    });
  for await (const event of follow(api, `runs/${runId}/events?afterSeq=${awaited.afterSeq}`, options)) {
    if (event.type === 'gap') continue;
    const of = event.payload?.['commandId'];
    if (typeof of === 'string' && !watched.has(of)) continue;
    options.onEvent(event);
    if (event.payload?.['phase'] !== 'command-terminal' || typeof of !== 'string') continue;
    ended.add(of);
    while (ended.has(commandId)) {
      const command = await commandNow();
      const next = afterSteer(command);
      if (next === undefined) return outcomeOf(command);
      watched.add(next);
      commandId = next;
    }
  }
  // The run has ended: so has whatever was asked of it.
  return outcomeOf(await commandNow());
}

/** The turn that a steer reached, or that it became; undefined for a turn, and for a steer that was refused. */
function afterSteer({ type, steerDelivery }: Command): string | undefined {
  if (type !== 'steer' || steerDelivery === null) return undefined;
  return steerDelivery.convertedTo ?? (steerDelivery.reason === undefined ? steerDelivery.targetCommandId : undefined);
}

function outcomeOf({ id, terminalStatus, failureKind }: Command): Outcome {
  return { commandId: id, terminalStatus: terminalStatus ?? 'failed', failureKind };
}

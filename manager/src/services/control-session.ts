import { Failure } from '../failure.ts';
import { findOpenRunOfSession } from '../store/runs.ts';
import { cancelCommand, cancelRun } from './cancel.ts';
import type { Manager } from './manager.ts';
import { readSession, sessionRow } from './sessions.ts';

/**
 * Acts on a session: marks it read, ends its turn (`interrupt`), or its open run with everything that waits (`cancel`).
 *
 * @throws Failure `conflict` when there is nothing to end
 */
export async function controlSession(
  manager: Manager,
  sessionId: string,
  input: {
    readonly action: 'read' | 'cancel' | 'interrupt';
    readonly readerId: string;
    readonly reason?: string | undefined;
  },
) {
  const { action, reason } = input;
  const session = await sessionRow(manager.pool, sessionId);
  const answer = { action, target: { kind: 'session' as string, id: sessionId }, valuesPrinted: false as const };
  if (action === 'read') return { ...answer, cursor: await readSession(manager, sessionId, input.readerId) };
  if (action === 'cancel') {
    const run = await findOpenRunOfSession(manager.pool, sessionId);
    if (run === undefined) throw new Failure('conflict', `session ${sessionId} has no open run to cancel`);
    const cancelled = manager.redact.json(await cancelRun(manager, run.id, reason));
    return { ...answer, target: { kind: 'run', id: run.id }, run: cancelled };
  }
  const commandId = session.active_command_id;
  if (commandId === null) throw new Failure('conflict', `session ${sessionId} has no turn to interrupt`);
  const command = manager.redact.json(await cancelCommand(manager, commandId, reason));
  return { ...answer, target: { kind: 'command', id: commandId }, command };
}

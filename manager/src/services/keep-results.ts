import type { EventInput } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { findCommand, keepResult } from '../store/commands.ts';
import { type ChangesByPath, merged, withChange } from './change-totals.ts';

/** Characters of output that a command keeps for its result. */
export const OUTPUT_LIMIT = 64 * 1024;

/** What events say of the result of a command: the text of the agent, its usage, the changed files. */
export interface ResultPart {
  output?: string;
  usage?: object;
  changes?: ChangesByPath;
}

/** The parts of results in a batch of events, by command. */
export function resultsIn(events: readonly EventInput[]): Map<string, ResultPart> {
  const parts = new Map<string, ResultPart>();
  for (const { type, payload = {} } of events) {
    if (!TELLING.has(type)) continue;
    const commandId = payload['commandId'];
    if (typeof commandId !== 'string') continue;
    const part = parts.get(commandId) ?? {};
    if (type === 'assistant_message' && typeof payload['text'] === 'string') {
      part.output = part.output === undefined ? payload['text'] : `${part.output}\n\n${payload['text']}`;
    } else if (type === 'usage') part.usage = withoutIds(payload);
    else if (type === 'file_change' && typeof payload['path'] === 'string') {
      const diff = typeof payload['diff'] === 'string' ? payload['diff'] : '';
      part.changes = withChange(part.changes ?? {}, payload['path'], diff);
    } else continue;
    parts.set(commandId, part);
  }
  return parts;
}

const TELLING: ReadonlySet<string> = new Set(['assistant_message', 'usage', 'file_change']);

/** Keeps the parts on their commands, in the transaction that stores the events. */
export async function keepResults(sql: Sql, runId: string, parts: ReadonlyMap<string, ResultPart>): Promise<void> {
  for (const [commandId, { changes, ...part }] of parts) {
    // The append has locked the run: nobody else adds to its commands now.
    const all = changes && merged((await findCommand(sql, commandId))?.changes ?? {}, changes);
    await keepResult(sql, runId, commandId, { ...part, ...(all && { changes: all }) }, OUTPUT_LIMIT);
  }
}

function withoutIds(payload: Readonly<Record<string, unknown>>): object {
  const { commandId: _command, runnerId: _runner, attemptId: _attempt, ...usage } = payload;
  return usage;
}

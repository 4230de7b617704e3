import { EVENT_LIMITS, type EventInput } from '@agentrun/lib/contract';
import type { CommandRow } from '../store/commands.ts';
import { cutText } from './cut-text.ts';
import type { Manager } from './manager.ts';

/** What the person said, for the log: a turn when it is taken up, a steer when the agent has accepted it. */
export function userMessage(manager: Manager, command: CommandRow): EventInput {
  const text = manager.redact.text(command.payload.prompt);
  return {
    type: 'user_message',
    payload: { commandId: command.id, commandType: command.type, ...cutText(text, EVENT_LIMITS.textBytes) },
  };
}

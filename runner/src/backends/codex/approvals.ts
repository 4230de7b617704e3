import type { ExecutionPolicy } from '@agentrun/lib/contract';
import { isObject, type JsonObject, text } from '../json-rpc.ts';

/** The answer to a request of codex, and the event that tells of it. */
export interface Answer {
  readonly result: JsonObject;
  readonly event: JsonObject;
}

type Approvals = ExecutionPolicy['approvals'];

/** What the runner decides when it is asked; `cancel` ends the turn. */
const DECISIONS: Readonly<Record<Approvals, 'accept' | 'decline' | 'cancel'>> = {
  accept: 'accept',
  decline: 'decline',
  // Who lets nobody ask gets an agent that does not; one that does cannot go on.
  never: 'cancel',
};

/**
 * Answers a request for approval as the policy says. Questions to a person have no answer here: they are declined, and
 * the agent goes on without.
 *
 * @returns null for a request that this runner does not know
 */
export function answerRequest(method: string, params: JsonObject, approvals: Approvals): Answer | null {
  const decision = DECISIONS[approvals];
  const event = (kind: string, decided: string = decision, members: JsonObject = {}): JsonObject => ({
    itemId: text(params['itemId']) ?? text(params['callId']),
    kind,
    decision: decided,
    reason: text(params['reason']),
    ...members,
  });
  switch (method) {
    case 'item/commandExecution/requestApproval':
      return { result: { decision }, event: event('command', decision, { command: text(params['command']) }) };
    case 'item/fileChange/requestApproval':
      return { result: { decision }, event: event('file-change') };
    case 'item/permissions/requestApproval': {
      const asked = isObject(params['permissions']) ? params['permissions'] : {};
      const permissions = decision === 'accept' ? asked : {};
      return { result: { permissions, scope: 'turn' }, event: event('permissions', decision, { permissions: asked }) };
    }
    case 'mcpServer/elicitation/request':
      return {
        result: { action: 'decline', content: null, _meta: null },
        event: event('question', 'decline', { message: text(params['message']) }),
      };
    case 'item/tool/requestUserInput':
      return { result: { answers: {} }, event: event('question', 'decline') };
    default:
      return null;
  }
}

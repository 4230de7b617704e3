import { FAILURE_KINDS, isFailureKind, type RunEvent } from '@agentrun/lib/contract';
import type { Paints } from './paint.ts';
import { type Payload, payloadOf } from './payload.ts';
import { plainText } from './plain-text.ts';
import { seconds } from './tool-block.ts';

/**
 * What a person should know of how a run goes: how turns and the run ended, a runner that was lost, a cancel. Most of
 * the status is for programs.
 *
 * @param begun when turns were taken up, by command id; kept here from event to event
 * @param told a message that need not be told again
 */
export function statusLines(event: RunEvent, begun: Map<string, number>, paint: Paints, told = ''): string[] {
  const payload = payloadOf(event);
  if (event.type === 'terminal_status') return runEnd(payload, paint);
  const commandId = payload.text('commandId') ?? '';
  switch (payload.text('phase')) {
    case 'command-acknowledged':
      begun.set(commandId, Date.parse(event.createdAt));
      return [];
    case 'command-terminal': {
      const start = begun.get(commandId);
      begun.delete(commandId);
      return commandEnd(payload, start === undefined ? undefined : Date.parse(event.createdAt) - start, paint, told);
    }
    case 'attempt-lost':
      return [paint.warning(`the runner was lost: ${said(payload, 'reason')}`)];
    case 'cancel-requested':
      return [paint.dim(`(cancel requested: ${said(payload, 'reason')})`)];
    case 'context-compacted':
      return [paint.dim('(the conversation was summarized to make room)')];
    default:
      return [];
  }
}

const said = (payload: Payload, name: string): string => plainText(payload.text(name) ?? 'no reason given').trim();

function runEnd(payload: Payload, paint: Paints): string[] {
  const status = payload.text('terminalStatus') ?? 'ended';
  return [paint.dim(`(run ${status})`)];
}

function commandEnd(payload: Payload, ms: number | undefined, paint: Paints, told: string): string[] {
  const status = payload.text('terminalStatus') ?? 'ended';
  const type = payload.text('commandType') ?? 'turn';
  const time = ms === undefined ? '' : ` in ${seconds(ms)}`;
  if (status === 'completed') return type === 'turn' ? [paint.dim(`(turn completed${time})`)] : [];
  const { convertedTo } = (payload.value('steerDelivery') ?? {}) as { convertedTo?: unknown };
  if (convertedTo !== undefined) return [paint.dim('(the turn had ended: the text begins another one)')];
  const kind = payload.text('failureKind') ?? status;
  const given = payload.text('message') ?? '';
  const message = given === told ? '' : plainText(given).trim();
  const head = `${type} ${status}${kind === status ? '' : ` [${kind}]`}${message === '' ? '' : `: ${message}`}`;
  if (status === 'cancelled') return [paint.warning(head)];
  const next = isFailureKind(kind) ? [`  hint: ${FAILURE_KINDS[kind].nextStep}`] : [];
  return [paint.error(head), ...next];
}

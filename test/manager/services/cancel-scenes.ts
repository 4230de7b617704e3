import { CANCEL_PHASES, type CancelReceipts } from '@agentrun/lib/contract';
import type { TestManager } from '../../helpers/manager.ts';

/** What the tests of cancels do, with the manager of the file. */
export function cancelScenes(manager: () => TestManager) {
  return {
    cancel: (runId: string, reason?: string) =>
      manager().request<{ status: string; cancelReceipts: CancelReceipts }>(
        'POST',
        `runs/${runId}/cancel`,
        reason === undefined ? undefined : { reason },
      ),
    cancelCommand: (id: string, body?: object) => manager().request('POST', `commands/${id}/cancel`, body),
    cancelPhases: async (runId: string) =>
      (await manager().phases(runId)).filter((phase) => phase.startsWith('cancel-')),
  };
}

/** The phases of the receipts in the order of their times; a time may be shared. */
export function stagesOf(receipts: CancelReceipts): string[] {
  return CANCEL_PHASES.filter((phase) => receipts[phase] !== undefined)
    .toSorted((a, b) => (receipts[a]?.sinceRequestMs ?? 0) - (receipts[b]?.sinceRequestMs ?? 0))
    .map((phase) => phase.replace('cancel-', ''));
}

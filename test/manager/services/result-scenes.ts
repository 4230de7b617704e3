import type { EventInput } from '@agentrun/lib/contract';
import type { RunResult } from '../../../manager/src/services/result.ts';
import type { TestManager } from '../../helpers/manager.ts';

/** What the tests of results and liveness ask, of the manager of the file. */
export function resultScenes(manager: () => TestManager) {
  const result = (runId: string, commandId?: string) =>
    manager().ask<RunResult & Record<string, unknown>>(
      'GET',
      `runs/${runId}${commandId === undefined ? '' : `/commands/${commandId}`}/result`,
    );
  return { result, phase: async (runId: string) => (await result(runId)).liveness.phase };
}

export const tool = (type: EventInput['type'], commandId: string): EventInput => ({
  type,
  payload: { commandId, itemId: 'item-1', toolName: 'shell', command: 'npm test' },
});

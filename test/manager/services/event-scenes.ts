import type { EventInput } from '@agentrun/lib/contract';
import { expect } from 'vitest';
import type { TestManager } from '../../helpers/manager.ts';

/** What the tests of events read, of the manager of the file. */
export function eventScenes(manager: () => TestManager) {
  return {
    /** What the runner wrote, in the order of the log. */
    texts: async (runId: string) =>
      (await manager().events(runId))
        .filter(({ type }) => type === 'assistant_delta')
        .map(({ payload }) => payload?.['text']),
    assertGapless: async (runId: string): Promise<void> => {
      const events = await manager().events(runId);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
      expect((await manager().run(runId)).lastSeq).toBe(events.length);
    },
  };
}

export const delta = (text: string): EventInput => ({ type: 'assistant_delta', payload: { text } });

import type { CommandRecord } from '../../../manager/src/store/commands.ts';
import type { RunRecord } from '../../../manager/src/store/runs.ts';
import type { TestManager } from '../../helpers/manager.ts';
import { newSessionId } from './scenes.ts';

export interface Sent {
  readonly decision: string;
  readonly reusedActiveRun: boolean;
  readonly run: RunRecord;
  readonly command: CommandRecord;
  readonly runnerJob: { readonly attemptId: string } | null;
  readonly activeBefore: object | null;
  readonly pollActions: readonly object[];
}

/** What the tests of sending do, with the manager of the file or another one. */
export function sendScenes(managerOfFile: () => TestManager) {
  return {
    newSession: async (manager = managerOfFile()): Promise<string> => {
      const sessionId = newSessionId();
      await manager.ask('POST', 'sessions', { sessionId, tenantId: 'tenant', projectId: 'project' });
      return sessionId;
    },
    send: (sessionId: string, body: object, manager = managerOfFile()) =>
      manager.ask<Sent>('POST', `sessions/${sessionId}/send`, { createRunnerJob: false, ...body }),
    refusedSend: (sessionId: string, body: object) =>
      managerOfFile().request('POST', `sessions/${sessionId}/send`, body),
    /** How many rows there are of all that a send may make; of promises, which go when they are kept, how many were made. */
    counts: async (): Promise<unknown> => {
      const { rows } = await managerOfFile().running.serving.pool.query(
        `SELECT (SELECT count(*) FROM agentrun_runs) AS runs, (SELECT count(*) FROM agentrun_commands) AS commands,
           (SELECT count(*) FROM agentrun_sessions) AS sessions, (SELECT count(*) FROM agentrun_events) AS events,
           (SELECT count(*) FROM agentrun_idempotency) AS keys,
           pg_sequence_last_value(pg_get_serial_sequence('agentrun_outbox', 'id')) AS promises`,
      );
      return rows[0];
    },
  };
}

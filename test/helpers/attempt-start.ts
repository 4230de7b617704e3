import type { AttemptStart } from '../../manager/src/placement/placement.ts';

/** The token of every attempt of {@link attemptStart}. */
export const TOKEN = 'art_token-of-the-attempt';
/** The credential of its profile. */
export const CREDENTIAL = 'credential-of-the-profile';

/** An attempt that can be started. */
export function attemptStart(attemptId: string, changes: Partial<AttemptStart> = {}): AttemptStart {
  return {
    attempt: {
      formatVersion: 1,
      attemptId,
      runId: 'run_1',
      managerUrl: 'http://127.0.0.1:8080',
      runnerId: 'runner_1',
      backendProfile: 'codex',
      leaseMs: 45_000,
      heartbeatMs: 10_000,
      idleTimeoutMs: 120_000,
      cancel: {
        deliveryMode: 'push',
        gracefulAbortMs: 10_000,
        killEscalationMs: 20_000,
        staleHeartbeatFencingMs: 45_000,
      },
      retry: { maxAttempts: 3, initialBackoffMs: 1000, maxBackoffMs: 30_000 },
      workspace: { dir: '/data/sessions/sess_1/g1/workspace' },
      home: { dir: '/data/sessions/sess_1/g1/home' },
      state: { dir: '/data/sessions/sess_1/g1/state' },
      session: { sessionId: 'sess_1', generation: 1 },
      sourceCommit: '0123456789abcdef0123456789abcdef01234567',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
    name: `agentrun-runner-${attemptId}`,
    labels: { 'app.kubernetes.io/component': 'runner' },
    token: TOKEN,
    profile: { backend: 'codex' },
    credential: { 'api-key': CREDENTIAL },
    ...changes,
  };
}

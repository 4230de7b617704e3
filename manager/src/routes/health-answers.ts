import { FAILURE_KIND, NULL_TEXT, RUNNER_PLACEMENTS, VALUES_PRINTED } from '@agentrun/lib/contract';
import { closed } from './answers.ts';

const FLAG = { type: 'boolean' } as const;
const TEXT = { type: 'string' } as const;

export const HEALTH = closed({
  serviceId: { const: 'agentrun-mgr' },
  live: { const: true },
  ready: { ...FLAG, description: 'of /health/live: it serves, whatever the database does' },
  database: closed(
    {
      adapter: { const: 'postgres' },
      ready: FLAG,
      reachable: FLAG,
      migrationReady: FLAG,
      migrationId: NULL_TEXT,
      failureKind: FAILURE_KIND,
      message: NULL_TEXT,
      credentialValuesPrinted: { const: false },
    },
    { nullable: true },
  ),
  sourceCommit: TEXT,
  lane: TEXT,
  auth: closed({ operatorKey: TEXT, attemptTokens: FLAG, valuesPrinted: VALUES_PRINTED }),
  runnerWorkReady: closed({ placement: { type: 'string', enum: RUNNER_PLACEMENTS }, valuesPrinted: VALUES_PRINTED }),
  secretRefs: closed({ databaseUrl: TEXT, valuesPrinted: VALUES_PRINTED }),
});

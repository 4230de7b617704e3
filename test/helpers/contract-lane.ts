import type { Lane } from '../../lib/src/lane/lane.ts';
import { aLane, type LaneChanges } from '../../lib/src/testing.ts';

const DIGEST = `@sha256:${'ab'.repeat(32)}`;

/** What the example lane of the contract has otherwise than ours: its two images, here by digest. */
const IMAGES: LaneChanges = {
  ci: { toolsImage: `registry.example.internal:5000/agentrun/ci-tools:2026.06${DIGEST}` },
  deployment: { localPostgres: { image: `registry.example.internal:5000/library/postgres:17-alpine${DIGEST}` } },
};

/** The complete example lane of the contract; `changes` are merged in as {@link aLane} does it. */
export const contractLane = (changes: LaneChanges = {}): Lane => aLane(IMAGES, changes);

/** The contract's variant: no local PostgreSQL, other variables, a proxy, no age-based cleanup. */
export const contractVariant = (): Lane =>
  contractLane({
    deployment: {
      localPostgres: {
        enabled: false,
        serviceName: null,
        image: null,
        storage: null,
        port: null,
        database: null,
        user: null,
      },
      manager: {
        env: { ZED: '1', FOO: '2' },
        unideskSshEndpointEnv: { name: 'UNIDESK_SSH_ENDPOINT', value: 'ssh://gw:22' },
      },
      runner: {
        egressProxyUrl: 'http://proxy.example.internal:3128',
        noProxyExtra: [],
        retention: { ageBasedCleanup: { enabled: false, maxAgeHours: null } },
      },
    },
  });

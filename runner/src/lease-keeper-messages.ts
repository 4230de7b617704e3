import type { LEASED_RUN } from '@agentrun/lib/contract';
import type { FromSchema } from 'json-schema-to-ts';
import type { ExitCode } from './exit-code.ts';
import type { ManagerAddress } from './manager-client-call.ts';

type Properties = (typeof LEASED_RUN)['properties'];
/** What the runner reads of a run. */
type Read =
  | 'status'
  | 'leaseEpoch'
  | 'leaseMs'
  | 'serverTime'
  | 'cancelRequestedAt'
  | 'cancelCommandIds'
  | 'executionPolicy'
  | 'sessionRef'
  | 'resourceBundleRef';
type LeasedRunSchema = {
  readonly type: 'object';
  readonly additionalProperties: false;
  readonly required: readonly [
    'status',
    'leaseEpoch',
    'leaseMs',
    'serverTime',
    'cancelRequestedAt',
    'cancelCommandIds',
  ];
  readonly properties: Pick<Properties, Read>;
};

/** A run under our lease, as claim and heartbeat answer it; the parts that matter here. */
export type LeasedRun = FromSchema<LeasedRunSchema, { keepDefaultedPropertiesOptional: true }>;

/** What the thread of the heartbeat is started with. */
export interface LeaseThreadData {
  readonly buffer: SharedArrayBuffer;
  readonly address: ManagerAddress;
  readonly runId: string;
  readonly runnerId: string;
  readonly attemptId: string;
  readonly epoch: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** Processes that are spared when the agent is killed. */
  readonly spared: readonly number[];
}

/** To the thread: the run was claimed again. */
export interface ClaimedAgain {
  readonly epoch: number;
  readonly leaseMs: number;
}

/** From the thread. After `refused` it does not beat until it hears of another epoch. */
export type LeaseNews =
  | { readonly kind: 'beat'; readonly run: LeasedRun }
  | {
      readonly kind: 'refused';
      readonly epoch: number;
      readonly message: string;
      readonly failureKind: string;
      readonly details: Readonly<Record<string, unknown>>;
    }
  /** The lease may not be used any more; the agent is being killed, and soon this process is ended too. */
  | { readonly kind: 'over'; readonly code: ExitCode; readonly message: string };

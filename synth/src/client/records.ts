import type { COMMAND, RUN, RUNNER_JOB, SESSION_SUMMARY } from '@agentrun/lib/contract';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

/** The named members of a record of the contract, with the types that its schema gives them. */
type Members<Schema extends { readonly properties: object }, Name extends keyof Schema['properties']> = {
  readonly [Member in Name]: Schema['properties'][Member] extends infer Found extends JSONSchema
    ? FromSchema<Found>
    : never;
};

/** What this client reads of the records that the manager answers; the manager says more. */
export type Run = Members<
  typeof RUN,
  'id' | 'status' | 'terminalStatus' | 'failureKind' | 'backendProfile' | 'sessionRef' | 'lastSeq' | 'createdAt'
>;
export type Command = Members<
  typeof COMMAND,
  'id' | 'runId' | 'type' | 'state' | 'terminalStatus' | 'failureKind' | 'failureMessage' | 'steerDelivery'
>;
export type RunnerJob = Members<typeof RUNNER_JOB, 'id' | 'attemptId'>;
export type Session = Members<
  typeof SESSION_SUMMARY,
  | 'sessionId'
  | 'backendProfile'
  | 'executionState'
  | 'attentionState'
  | 'terminalStatus'
  | 'title'
  | 'lastRunId'
  | 'activeRunId'
  | 'activeCommandId'
  | 'updatedAt'
>;

/** A page of a list; `cursor` is null after the last. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor: string | null;
}

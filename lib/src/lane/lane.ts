import type { FilledLane } from './schema/index.ts';

type FilledPostgres = FilledLane['deployment']['localPostgres'];
type NonNull<T> = { [K in keyof T]: NonNullable<T[K]> };
type NeededWhenEnabled = 'serviceName' | 'image' | 'storage' | 'port' | 'database' | 'user';

/** A PostgreSQL that the lane renders: the six fields that it needs are there. */
export type EnabledPostgres = Omit<FilledPostgres, 'enabled' | NeededWhenEnabled> & { enabled: true } & NonNull<
    Pick<FilledPostgres, NeededWhenEnabled>
  >;

/** No PostgreSQL of the lane's own; the other fields are ignored. */
export type DisabledPostgres = Omit<FilledPostgres, 'enabled'> & { enabled: false };

/** A validated lane: every optional field has its default, every missing nullable field is null. */
export type Lane = Omit<FilledLane, 'deployment'> & {
  deployment: Omit<FilledLane['deployment'], 'localPostgres'> & { localPostgres: EnabledPostgres | DisabledPostgres };
};

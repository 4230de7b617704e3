import type { Rule } from './rule.ts';

const OLDEST_MAJOR = 14;

/** The image listens on 5432, whatever the field says. */
const portIsThatOfTheImage: Rule = {
  reads: ['deployment.localPostgres.enabled', 'deployment.localPostgres.port'],
  check({ deployment: { localPostgres } }) {
    if (!localPostgres.enabled || localPostgres.port === 5432) return [];
    return [
      {
        code: 'lane-value',
        message: `deployment.localPostgres.port must be 5432, on which the image listens, found ${localPostgres.port}`,
        hint: 'Write port: 5432',
        paths: ['deployment.localPostgres.port'],
      },
    ];
  },
};

/** The major version decides the layout of the data volume, so it must be there to be read. */
const tagBeginsWithTheMajorVersion: Rule = {
  reads: ['deployment.localPostgres.enabled', 'deployment.localPostgres.image'],
  check({ deployment: { localPostgres } }) {
    if (!localPostgres.enabled) return [];
    const tag = /:([^:@/]+)@/.exec(localPostgres.image)?.[1] ?? '';
    const major = /^([0-9]{1,2})(?![0-9])/.exec(tag)?.[1];
    if (major !== undefined && Number(major) >= OLDEST_MAJOR) return [];
    return [
      {
        code: 'lane-value',
        message: `deployment.localPostgres.image must have a tag that begins with a PostgreSQL major version of at least ${OLDEST_MAJOR}, found "${tag}"`,
        hint: 'Use a tag such as "17-alpine" or "16.4".',
        paths: ['deployment.localPostgres.image'],
      },
    ];
  },
};

export const localPostgresRules: readonly Rule[] = [portIsThatOfTheImage, tagBeginsWithTheMajorVersion];

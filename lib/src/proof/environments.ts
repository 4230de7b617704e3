import { tmpdir } from 'node:os';

/** One environment in which a lane is rendered: what differs between machines and must not show. */
export interface ProofEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** File mode mask of the process. */
  readonly umask: number;
  /** Seed of the order of keys in the lane. */
  readonly seed: number;
}

/** cs_CZ sorts "ch" behind "h", da_DK "aa" behind "z", tr_TR has an "i" of its own. */
const LOCALES = ['C', 'cs_CZ.UTF-8', 'da_DK.UTF-8', 'tr_TR.UTF-8'];
/** Behind and ahead of UTC, by odd parts of an hour. */
const ZONES = ['UTC', 'Asia/Kathmandu', 'America/St_Johns'];
const PLACES = [
  { cwd: '/', home: '/nonexistent', umask: 0o077 },
  { cwd: tmpdir(), home: tmpdir(), umask: 0o000 },
];

/** Every locale with every time zone in every place: 24 environments. */
export const PROOF_ENVIRONMENTS: readonly ProofEnvironment[] = LOCALES.flatMap((locale) =>
  ZONES.flatMap((zone) =>
    PLACES.map(({ cwd, home, umask }) => ({
      variables: { LANG: locale, LC_ALL: locale, TZ: zone, HOME: home },
      cwd,
      umask,
    })),
  ),
).map((environment, at) => ({ ...environment, seed: at + 1 }));

/** As a message names it. */
export const environmentTitle = ({ variables, cwd, umask, seed }: ProofEnvironment): string =>
  `LC_ALL=${variables['LC_ALL']} TZ=${variables['TZ']} HOME=${variables['HOME']} cwd ${cwd} umask ${umask.toString(8)}, key order ${seed}`;

import { managerRows } from '@agentrun/lib/environment';

/** What local mode put in the place of what the lane says; for the person, so it holds no secret. */
export interface Replacement {
  readonly variable: string;
  /** What the lane says; a Secret by its name and key. */
  readonly rendered: string;
  /** What the manager uses. */
  readonly used: string;
}

/** What local mode knows when it replaces. */
export interface LocalFacts {
  readonly dataDir: string;
  /** The database that the caller names, and how it was named; null for the embedded one. */
  readonly database: { readonly url: string; readonly by: string } | null;
  readonly apiKey: string;
  readonly apiKeyFile: string;
  readonly host: string;
  /** The port that was free. */
  readonly port: number;
  readonly internalUrl: string;
  readonly aipodDirectory: string;
}

interface Row {
  readonly variable: string;
  readonly used: (facts: LocalFacts) => string;
  /** What is printed, where the value itself must not be. */
  readonly shown?: (facts: LocalFacts) => string;
  /** Leaves the value that the lane gives. */
  readonly onlyWhenUnset?: true;
}

/** Stands where the variable must be a URL; the embedded database has one only after it started. */
const EMBEDDED_URL = 'postgres://127.0.0.1/agentrun';

/** All that local mode replaces, in the order in which it is printed. */
const rows: readonly Row[] = [
  {
    variable: 'DATABASE_URL',
    used: ({ database }) => database?.url ?? EMBEDDED_URL,
    shown: ({ database, dataDir }) =>
      database === null ? `(embedded PostgreSQL, in ${dataDir}/postgres)` : `(given by ${database.by})`,
  },
  {
    variable: 'AGENTRUN_API_KEY',
    used: ({ apiKey }) => apiKey,
    shown: ({ apiKeyFile }) => `(generated, in ${apiKeyFile})`,
  },
  { variable: 'AGENTRUN_INTERNAL_MGR_URL', used: ({ internalUrl }) => internalUrl },
  { variable: 'AGENTRUN_LISTEN_HOST', used: ({ host }) => host },
  { variable: 'AGENTRUN_LISTEN_PORT', used: ({ port }) => String(port) },
  { variable: 'AGENTRUN_RUNNER_PLACEMENT', used: () => 'host-process' },
  { variable: 'AGENTRUN_AIPOD_SPEC_DIR', used: ({ aipodDirectory }) => aipodDirectory },
  { variable: 'AGENTRUN_QUEUE_MAX_ACTIVE', used: () => '2', onlyWhenUnset: true },
];

/** The variables that local mode always replaces, so that nobody need set them. */
export const replacedVariables: ReadonlySet<string> = new Set(
  rows.filter(({ onlyWhenUnset }) => onlyWhenUnset === undefined).map(({ variable }) => variable),
);

const secretVariables: ReadonlySet<string> = new Set(
  managerRows.filter(({ encoding }) => encoding === 'secret').map(({ name }) => name),
);

/**
 * Puts the values of local mode in the place of the lane's.
 *
 * @param variables names to values; those that are replaced may be missing.
 * @param describe what the lane says of a variable, in words; null for a variable that it does not set.
 */
export function replaceForLocal(
  variables: Readonly<Record<string, string>>,
  facts: LocalFacts,
  describe: (variable: string) => string | null,
): { variables: Readonly<Record<string, string>>; replaced: readonly Replacement[] } {
  const result: Record<string, string> = { ...variables };
  const replaced: Replacement[] = [];
  for (const { variable, used, shown, onlyWhenUnset } of rows) {
    if (onlyWhenUnset === true && variables[variable] !== undefined) continue;
    const value = used(facts);
    result[variable] = value;
    replaced.push({ variable, rendered: describe(variable) ?? '(not set)', used: shown?.(facts) ?? value });
  }
  return { variables: result, replaced };
}

/** What is shown of a value that is not a reference: a secret never. */
export const shownValue = (variable: string, value: string): string =>
  secretVariables.has(variable) ? '(set)' : value;

/** The replacements as lines of a table: variable, rendered, used. Empty when there are none. */
export function replacementLines(replaced: readonly Replacement[]): readonly string[] {
  if (replaced.length === 0) return [];
  const table = [{ variable: 'variable', rendered: 'rendered', used: 'used' }, ...replaced];
  const width = (column: keyof Replacement) => Math.max(...table.map((row) => row[column].length));
  const [first, second] = [width('variable'), width('rendered')];
  return table.map(({ variable, rendered, used }) => `${variable.padEnd(first)}  ${rendered.padEnd(second)}  ${used}`);
}

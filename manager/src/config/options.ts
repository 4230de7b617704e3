import { parseArgs } from 'node:util';
import { AgentRunError } from '@agentrun/lib/errors';

/** What `agentrun-manager --help` prints. */
export const HELP = `Usage: agentrun-manager [options]

Serves runs, commands, events and sessions over PostgreSQL.

Options:
  --environment FILE   rendered mgr.yaml of a lane, instead of the environment of this process
  --local              run on this machine: PostgreSQL, secrets and runners in a data folder
  --data-dir DIR       data folder, and --local; default $AGENTRUN_DATA_DIR, else $XDG_STATE_HOME/agentrun,
                       else ~/.local/state/agentrun
  --database-url URL   use this PostgreSQL (15 or newer); a URL with a password is better put into DATABASE_URL
  --host HOST          listen there; default what the lane says, with --local 127.0.0.1
  --port PORT          listen there; 0 is any free port; default what the lane says, with --local 8080 or the next
                       that is free
  --help               print this
`;

/** The command line; null is what was not given. */
export interface Options {
  readonly help: boolean;
  readonly environment: string | null;
  readonly local: boolean;
  readonly dataDir: string | null;
  readonly databaseUrl: string | null;
  readonly host: string | null;
  readonly port: number | null;
}

/** Reads the arguments after the program's name. Throws AgentRunError `usage`. */
export function parseOptions(argv: readonly string[]): Options {
  const values = parse(argv);
  const text = (name: 'environment' | 'data-dir' | 'database-url' | 'host'): string | null => {
    const value = values[name];
    if (value === '') throw new AgentRunError('usage', `--${name} must not be empty`, { hint: SEE });
    return value ?? null;
  };
  const port = values.port === undefined ? null : /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN;
  if (port !== null && !(port <= 65_535)) {
    throw new AgentRunError('usage', `--port must be a number from 0 to 65535, not ${JSON.stringify(values.port)}`, {
      hint: SEE,
    });
  }
  const dataDir = text('data-dir');
  return {
    help: values.help ?? false,
    environment: text('environment'),
    local: (values.local ?? false) || dataDir !== null,
    dataDir,
    databaseUrl: text('database-url'),
    host: text('host'),
    port,
  };
}

const SEE = 'See agentrun-manager --help.';

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: false,
      options: {
        environment: { type: 'string' },
        local: { type: 'boolean' },
        'data-dir': { type: 'string' },
        'database-url': { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new AgentRunError('usage', error.message, { hint: SEE, cause: error });
  }
}

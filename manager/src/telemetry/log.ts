import { type Redactor, redactor, SECRET_MARK } from '@agentrun/lib/contract';
import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';

export interface LogOptions {
  /** Default `info`. */
  readonly level?: string;
  /** Goes over every line; default one that knows no value, only forms. Give it the API key. */
  readonly redactor?: Redactor;
  /** Default standard output. */
  readonly destination?: DestinationStream;
}

/** Headers and members that are credentials whatever they hold. */
const CREDENTIALS = ['authorization', 'x-api-key', 'cookie', 'set-cookie', 'proxy-authorization', 'apiKey', 'password'];

/** The log: a line of JSON for each thing, on its way out without credentials and without anything that looks like one. */
export function createLog({ level = 'info', redactor: redact = redactor(), destination }: LogOptions = {}): Logger {
  const options: LoggerOptions = {
    level,
    base: { service: 'agentrun-mgr' },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: CREDENTIALS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.headers["${name}"]`]),
      censor: SECRET_MARK,
    },
    hooks: { streamWrite: lineRedactor(redact) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Masks a line of JSON; it stays JSON. */
function lineRedactor(redact: Redactor): (line: string) => string {
  return (line) => {
    const masked = redact.text(line);
    // Where the mask would take a quote with it, each text is masked by itself.
    return masked === line || isJson(masked) ? masked : `${JSON.stringify(redact.json(JSON.parse(line)))}\n`;
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Writes one line for a person; the manager keeps the last ones of an attempt. */
export type Log = (message: string) => void;

/** Lines on stderr, each with its time and without secrets. */
export function lineLog(redact: (text: string) => string): Log {
  return (message) => {
    const line = redact(message).replaceAll(/\s*[\r\n]+\s*/g, ' | ');
    process.stderr.write(`${new Date().toISOString()} agentrun-runner: ${line}\n`);
  };
}

/** What an error says, for a line of the log. */
export function saying(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

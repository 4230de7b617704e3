/** The commands that speak to a manager, and the quickstart: their exit codes are those of `exit-code.ts`. */
const CLIENT_COMMANDS: ReadonlySet<string> = new Set([
  'run',
  'send',
  'logs',
  'cancel',
  'sessions',
  'runs',
  'doctor',
  'diff-session',
  'quickstart',
]);

/** Whether a command line is one of the client's. */
export function isClientCommand(args: readonly string[]): boolean {
  return CLIENT_COMMANDS.has(args.find((arg) => !arg.startsWith('-')) ?? '');
}

/** Whether the line asks for JSON; read again since a failure may come before the options are known. */
export function asksForJson(args: readonly string[]): boolean {
  const at = args.findIndex((arg) => arg === '-o' || arg === '--output');
  return (at >= 0 && args[at + 1] === 'json') || args.includes('--output=json') || args.includes('-ojson');
}

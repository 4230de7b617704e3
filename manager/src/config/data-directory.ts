import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/**
 * The data folder: what is given, else `$AGENTRUN_DATA_DIR`, else `$XDG_STATE_HOME/agentrun`, else
 * `~/.local/state/agentrun`. Empty variables count as unset, and so does a relative XDG_STATE_HOME, as its
 * specification wants. The path is absolute; nothing is made.
 */
export function dataDirectory(given: string | null, env: Readonly<Record<string, string | undefined>>): string {
  const named = given ?? env['AGENTRUN_DATA_DIR'] ?? '';
  if (named !== '') return resolve(named);
  const state = env['XDG_STATE_HOME'] ?? '';
  if (isAbsolute(state)) return join(state, 'agentrun');
  const home = env['HOME'] ?? '';
  return join(home === '' ? homedir() : home, '.local', 'state', 'agentrun');
}

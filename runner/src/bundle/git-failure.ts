import { BackendFailure, saysDiskFull } from '../backends/backend-failure.ts';
import { invalidBundle } from './bundle-failure.ts';

const REFUSED =
  /authentication failed|could not read (?:username|password)|permission denied|access denied|host key verification failed|no .*host key is known|returned error: 40[13]|terminal prompts disabled|invalid credentials/i;
const NOT_THERE =
  /repository .*not found|does not appear to be a git repository|does not exist|returned error: 404|couldn't find remote ref|no such remote ref|not our ref|unadvertised object|transport '.*' not allowed|is not a valid|unable to update url base from redirection|dubious ownership/i;
const NETWORK =
  /could not resolve host|couldn't resolve|connection (?:refused|reset|timed out|closed)|failed to connect|timed out|timeout|network is unreachable|no route to host|hung up|early eof|unexpected disconnect|operation too slow|returned error: (?:408|425|429|5\d\d)|empty reply|gnutls_handshake|ssl_error|broken pipe|http\/2 stream|curl \d+/i;

/** Asking for a commit by its id is more than some servers allow. */
export function isUnadvertised(stderr: string): boolean {
  return /unadvertised object|not our ref|couldn't find remote ref|upload-pack: not our ref|remote error: .*not our ref/i.test(
    stderr,
  );
}

/** What git said, as a failure of the bundle. */
export function gitFailure(doing: string, stderr: string): BackendFailure {
  const said = stderr
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-5)
    .join('; ')
    .replaceAll(/\/\/[^/@\s]*@/g, '//')
    .slice(0, 2000);
  const message = `${doing}: ${said || 'git said nothing'}`;
  if (saysDiskFull(stderr)) return new BackendFailure('disk-full', message);
  if (REFUSED.test(stderr)) return invalidBundle(`${message}. Name a tool credential that may read it`);
  if (NOT_THERE.test(stderr)) return invalidBundle(message);
  if (NETWORK.test(stderr)) return new BackendFailure('provider-unavailable', message);
  return new BackendFailure('infra-failed', message);
}

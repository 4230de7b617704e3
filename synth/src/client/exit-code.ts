import type { TerminalStatus } from '@agentrun/lib/contract';

/** How the commands of the client end. A wait that is broken off by Ctrl-C ends with 130, as shells have it. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  cancelled: 3,
  blocked: 4,
  unreachable: 5,
  timeout: 124,
  interrupted: 130,
} as const;

/** The exit code that tells how a turn ended. */
export function exitOf(status: TerminalStatus): number {
  return status === 'completed' ? EXIT.ok : EXIT[status];
}

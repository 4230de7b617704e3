import type { ErrorCode } from '../errors.ts';

/**
 * Wordings of git and of servers for "somebody was faster": git itself over files, http and ssh, JGit, and the hosting
 * systems that put their own words around it. A wording that is not here costs nothing but speed: the ref is read
 * again, and when it has moved, that says the same.
 */
const RACE =
  /fetch first|non-fast-forward|stale info|cannot lock ref|unable to lock|failed to update ref|failed to lock|lock failure|incorrect old value|reference already exists|but expected|is at [0-9a-f]{7,64} but|remote ref is at|unable to create '[^']*\.lock'|shallow file has changed|shallow\.lock|shallow update not allowed|atomic push failed|atomic transaction failed|reference update failed|reference (?:.[^' ]*. )?has (?:already )?been updated|updated by another (?:push|client)|try again later|conflicting ref update/i;

interface Wording {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly what: string;
  /** Whether another try could end otherwise. */
  readonly final: boolean;
}

/** The first that fits counts. */
const KNOWN: readonly Wording[] = [
  {
    pattern: /hash algorithm|mismatched (?:hash )?algorithms|object format/i,
    code: 'remote-invalid',
    what: 'the repository hashes with SHA-256, and AgentRun publishes to SHA-1 repositories only',
    final: true,
  },
  {
    pattern: /no space left on device|disk quota exceeded/i,
    code: 'git-failed',
    what: 'a disk is full',
    final: true,
  },
  {
    pattern:
      /protected branch|protected ref|GH006|GH013|hook declined|aborted by hook|not allowed to push|branch is locked|deny updating|refusing to update checked out branch|prohibited by|only be modified through|pushes to this branch are not permitted|permission denied to update branch/i,
    code: 'branch-protected',
    what: 'the server protects the branch',
    final: true,
  },
  {
    pattern:
      /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied \([a-z]|HTTP Basic: Access denied|(?:error:|HTTP|HTTP code) 40[137]\b|access denied|insufficient permission|not authorized|Write access to repository not granted|Permission to .* denied|Invalid username or|unable to create temporary object directory/i,
    code: 'remote-auth',
    what: 'the server does not let this account in',
    final: true,
  },
  {
    pattern:
      /repository .*not found|does not appear to be a git repository|not a git repository|requested URL returned error: 404|(?:repository|project|path) .*(?:does not exist|could not be found)/i,
    code: 'remote-not-found',
    what: 'there is no such repository',
    final: true,
  },
  {
    pattern:
      /Could not resolve (?:host|proxy)|Could not connect|Couldn't connect|Connection (?:refused|timed out|reset|closed)|Failed to connect|Network is unreachable|No route to host|Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|Operation (?:timed out|too slow)|unable to access|early EOF|hung up|unexpected disconnect|Empty reply from server|SSL|certificate|requested URL returned error: 5\d\d|HTTP 5\d\d|Broken pipe|remote failure|could not read from remote repository/i,
    code: 'remote-unreachable',
    what: 'the server cannot be reached, or went away',
    final: false,
  },
];

/** Whether the words of a refused push say that another publisher was faster. */
export const saysRace = (said: string): boolean => RACE.test(said);

/** What the words say; undefined for words that are not known. */
export const wordingOf = (said: string): Wording | undefined => KNOWN.find(({ pattern }) => pattern.test(said));

/** Whether the server refused the ref in so many words. Without them, nobody knows whether the push arrived. */
export const saysRefused = (said: string): boolean => /^!\t.*\t\[(?:remote )?rejected\]/m.test(said);

export const saysNoSpace = (said: string): boolean => wordingOf(said)?.what === 'a disk is full';

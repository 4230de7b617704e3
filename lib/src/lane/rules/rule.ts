import type { ErrorCode } from '../../errors.ts';
import type { Lane } from '../lane.ts';

/** What a rule found. */
export interface RuleFinding {
  /** Default `lane-rule`. */
  readonly code?: ErrorCode;
  /** Default `error`. */
  readonly severity?: 'error' | 'warning';
  /** Names the fields by their dotted paths, what was found and what is allowed. */
  readonly message: string;
  readonly hint?: string;
  /** Dotted paths of the fields that take part; the finding stands at the first. */
  readonly paths: readonly [string, ...string[]];
  /** Point at the key instead of the value of the first path. */
  readonly at?: 'key';
}

/** Something that several fields of a lane must satisfy together. */
export interface Rule {
  /**
   * The dotted paths of everything that `check` reads. The rule runs when nothing at, above or below these paths is
   * wrong, whatever else is.
   */
  readonly reads: readonly string[];
  /** Pure. */
  readonly check: (lane: Lane) => readonly RuleFinding[];
}

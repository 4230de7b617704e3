import type { ErrorCode } from '../errors.ts';
import type { LanePath } from './lane-path.ts';

/** Something wrong with the text itself, at offsets of the text. */
export interface TextFinding {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** In UTF-16 units; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly path?: LanePath;
}

/** Something wrong with a value of the lane. */
export interface LaneFinding {
  readonly code: ErrorCode;
  readonly severity?: 'error' | 'warning';
  readonly message: string;
  readonly hint?: string;
  readonly path: LanePath;
  /** Where to point: at the value (default), at its key, or, for what is missing, at the key of its parent. */
  readonly at?: 'value' | 'key' | 'parent';
  /** Further places that take part; the message goes on to say where they stand. */
  readonly related?: readonly LanePath[];
}

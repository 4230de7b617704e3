import type { ErrorCode } from '../errors.ts';

/** What a check found in the rendered output, before it is traced to the lane. Never holds a secret. */
export interface Finding {
  readonly code: ErrorCode;
  /** Path of the rendered file. */
  readonly file: string;
  readonly message: string;
  /** Position of the object in the file, from 0; absent when the finding is about the file. */
  readonly index?: number;
  /** The object, as `Kind/name`. */
  readonly object?: string;
  /** JSON pointer within the object. */
  readonly pointer?: string;
  readonly hint?: string;
}

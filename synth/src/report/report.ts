import type { Problem } from '@agentrun/lib/errors';

/** What a command did with one lane. Digests are `sha256:` and 64 hex digits. */
export interface LaneReport {
  /** Version of the lane, for example `v0.1`. */
  readonly lane: string;
  /** One lower-case word, for example `rendered`, `published` or `unchanged`. */
  readonly status: string;
  readonly filesDigest?: string;
  readonly objectsDigest?: string;
  /** Paths of the rendered files, in their order. */
  readonly files?: readonly string[];
  /** The commit that was made or found, 40 hex digits. */
  readonly commit?: string;
}

/** The outcome of a command, as every format prints it. */
export interface Report {
  /** Name of the command, for example `check`. */
  readonly command: string;
  readonly ok: boolean;
  readonly lanes: readonly LaneReport[];
  readonly problems: readonly Problem[];
}

/** How a report is to be printed. */
export interface ReportOptions {
  /** Whether text may hold colour codes: for a terminal whose user has not set NO_COLOR. */
  readonly colour: boolean;
  /** Absolute path; files below it are named relative to it. */
  readonly cwd: string;
}

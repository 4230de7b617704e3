/** How the process of a runner ends. */
export const EXIT = {
  /** Every outcome was reported, and the run has ended or was given back. How the turns ended does not matter. */
  done: 0,
  /** The runner itself could not do its work; the last line of its log says why. */
  failed: 1,
  /** The attempt folder, the arguments or the environment are wrong. */
  usage: 2,
  /** The lease was lost: another attempt may hold the run. */
  fenced: 3,
  /** The manager was not there for as long as the lease allows. */
  unreachable: 4,
  SIGINT: 130,
  SIGTERM: 143,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The runner must end with a code; the message is for the log. */
export class RunnerExit extends Error {
  readonly code: ExitCode;

  constructor(code: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RunnerExit';
    this.code = code;
  }
}

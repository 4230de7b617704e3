/** Where a command writes to. */
export interface Output {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  /** Of a terminal: its width in characters. */
  readonly columns?: number;
}

/** The part of a process that commands talk to; tests give their own. */
export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin?: AsyncIterable<string | Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  cwd(): string;
  /**
   * Has a signal told to a command that wants to end in its own way: without a listener a signal ends the process. The
   * answer takes the listener back.
   */
  onSignal?(listener: (signal: NodeJS.Signals) => void): () => void;
}

/** Whether people's text may hold colour: on a terminal, unless NO_COLOR is set. */
export const mayColour = ({ stderr, env }: Terminal, output: Output = stderr): boolean =>
  output.isTTY === true && (env['NO_COLOR'] ?? '') === '';

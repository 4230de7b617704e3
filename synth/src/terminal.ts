/** The part of a process that commands talk to; tests give their own. */
export interface Terminal {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  cwd(): string;
}

/** Whether people's text may hold colour: on a terminal, unless NO_COLOR is set. */
export const mayColour = ({ stderr, env }: Terminal): boolean =>
  stderr.isTTY === true && (env['NO_COLOR'] ?? '') === '';

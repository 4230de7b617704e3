/** Gives a text a colour, or leaves it as it is. */
type Paint = (text: string) => string;

/** What the parts of a transcript look like. */
export interface Paints {
  readonly user: Paint;
  readonly tool: Paint;
  readonly dim: Paint;
  readonly error: Paint;
  readonly warning: Paint;
  readonly good: Paint;
  readonly added: Paint;
  readonly removed: Paint;
  readonly place: Paint;
  readonly strong: Paint;
}

/** The colours of a terminal, or none. */
export function paints(colour: boolean): Paints {
  const paint =
    (code: string): Paint =>
    (text) =>
      colour && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  return {
    user: paint('1;36'),
    tool: paint('1'),
    dim: paint('2'),
    error: paint('1;31'),
    warning: paint('33'),
    good: paint('32'),
    added: paint('32'),
    removed: paint('31'),
    place: paint('36'),
    strong: paint('1'),
  };
}

/** A line of a unified diff in its colour. */
export function paintedDiffLine(line: string, paint: Paints): string {
  if (line.startsWith('+++') || line.startsWith('---') || line.startsWith('diff ')) return paint.strong(line);
  if (line.startsWith('+')) return paint.added(line);
  if (line.startsWith('-')) return paint.removed(line);
  return line.startsWith('@@') ? paint.place(line) : line;
}

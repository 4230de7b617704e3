/** A time of the database as the wire has it: ISO 8601, UTC, milliseconds. */
export function iso(time: Date): string {
  return time.toISOString();
}

/** SQL: a column of a time as page cursors have it, with the microseconds that the wire has not. */
export const cursorAt = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS cursor_at`;

export function isoOrNull(time: Date | null): string | null {
  return time === null ? null : time.toISOString();
}

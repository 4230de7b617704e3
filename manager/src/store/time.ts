/** A time of the database as the wire has it: ISO 8601, UTC, milliseconds. */
export function iso(time: Date): string {
  return time.toISOString();
}

export function isoOrNull(time: Date | null): string | null {
  return time === null ? null : time.toISOString();
}

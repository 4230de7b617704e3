/** One measured figure. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 's' | 'MB' | 'times';
  /** The most that it should be; absent for what is only told. */
  readonly target?: number;
  readonly note?: string;
}

/** What could not be measured here, in a line for people. */
export interface Skipped {
  readonly skipped: string;
}

/** Rows as a table: what, value, target, whether it is met, note. */
export function formatTable(rows: readonly (Row | Skipped)[]): string {
  const measured = rows.filter((row) => 'what' in row);
  const width = Math.max(...measured.map(({ what }) => what.length));
  return rows
    .map((row) => {
      if ('skipped' in row) return `skipped: ${row.skipped}\n`;
      const value = `${figure(row.value)} ${row.unit}`.padStart(13);
      const met = row.target === undefined ? '' : row.value <= row.target ? 'ok ' : 'no ';
      const target = row.target === undefined ? '' : `at most ${row.target} ${row.unit}`;
      return `${row.what.padEnd(width)} ${value}  ${met.padEnd(4)}${target.padEnd(18)} ${row.note ?? ''}`
        .trimEnd()
        .concat('\n');
    })
    .join('');
}

const figure = (value: number): string => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);

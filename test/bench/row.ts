/** One measured figure. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 's' | 'MB' | 'times' | '1/s' | '%';
  /** The most that it should be; absent for what is only told. */
  readonly target?: number;
  /** The least that it should be. */
  readonly atLeast?: number;
  readonly note?: string;
}

/** What could not be measured here, in a line for people. */
export interface Skipped {
  readonly skipped: string;
}

/** Rows as a table: what, value, target, whether it is met, note. */
export function formatTable(rows: readonly (Row | Skipped)[]): string {
  const measured = rows.filter((row) => 'what' in row);
  const width = Math.max(0, ...measured.map(({ what }) => what.length));
  return rows
    .map((row) => {
      if ('skipped' in row) return `skipped: ${row.skipped}\n`;
      const value = `${figure(row.value)} ${row.unit}`.padStart(13);
      const { met, target } = judged(row);
      return `${row.what.padEnd(width)} ${value}  ${met.padEnd(4)}${target.padEnd(20)} ${row.note ?? ''}`
        .trimEnd()
        .concat('\n');
    })
    .join('');
}

function judged({ value, unit, target, atLeast }: Row): { met: string; target: string } {
  if (target !== undefined) return { met: value <= target ? 'ok ' : 'no ', target: `at most ${target} ${unit}` };
  if (atLeast !== undefined) return { met: value >= atLeast ? 'ok ' : 'no ', target: `at least ${atLeast} ${unit}` };
  return { met: '', target: '' };
}

const figure = (value: number): string => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);

import { benchAppends } from './manager-appends.ts';
import { benchClaim, benchDelivery } from './manager-delivery.ts';
import { benchFanOut } from './manager-fanout.ts';
import { benchIdle } from './manager-idle.ts';
import { benchDeepPage, benchSessionList } from './manager-reads.ts';
import { openBench } from './manager-setup.ts';
import type { Row, Skipped } from './row.ts';

/** Parts that can be left out by `BENCH_MANAGER`, a list of their names. */
const PARTS = {
  appends: benchAppends,
  pages: benchDeepPage,
  claims: benchClaim,
  delivery: benchDelivery,
  'fan-out': benchFanOut,
  idle: benchIdle,
  sessions: benchSessionList,
} as const;

/**
 * A compiled manager with a PostgreSQL of its own that keeps every commit: what it takes and gives over HTTP, asked by
 * this process, which shares the machine with both.
 */
export async function benchManager(): Promise<(Row | Skipped)[]> {
  const wanted = process.env['BENCH_MANAGER']?.split(',');
  const bench = await openBench();
  try {
    const rows: (Row | Skipped)[] = [];
    for (const [name, part] of Object.entries(PARTS)) {
      if (wanted === undefined || wanted.includes(name)) rows.push(...(await part(bench)));
    }
    return rows;
  } finally {
    await bench.end();
  }
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What one run of a program took. */
export interface Timed {
  /** From before the process is started to after it has ended, in milliseconds. */
  readonly ms: number;
  readonly stdout: string;
}

const REPOSITORY = join(import.meta.dirname, '../..');

/** Runs a program in the repository to its end; throws with what it said when it fails. */
export function timed(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Timed {
  const before = performance.now();
  const run = spawnSync(program, args, {
    cwd: REPOSITORY,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 28,
  });
  const ms = performance.now() - before;
  if (run.status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${run.status}: ${run.stderr}`);
  return { ms, stdout: run.stdout };
}

/** As {@link timed}, for a program of Node; `rssMb` is the most memory that it held, in 2^20 bytes. */
export function timedWithMemory(args: readonly string[]): Timed & { rssMb: number } {
  return inScratch((scratch) => {
    const report = join(scratch, 'usage.json');
    const hook = join(import.meta.dirname, 'report-usage.cjs');
    const run = timed(process.execPath, ['--require', hook, ...args], { BENCH_USAGE_FILE: report });
    // Kibibytes, as getrusage gives them.
    const { maxRSS } = JSON.parse(readFileSync(report, 'utf8')) as { maxRSS: number };
    return { ...run, rssMb: maxRSS / 1024 };
  });
}

/** Gives a fresh folder to a function, and removes it after. */
export function inScratch<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'agentrun-bench-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

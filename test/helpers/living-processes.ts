import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * The pids of the processes whose arguments or environment hold the text anywhere, zombies and this process excepted.
 * It shares no code with the product, so that a test does not ask the product about itself.
 */
export function livingWith(text: string): number[] {
  return (process.platform === 'linux' ? fromProc(text) : fromPs(text)).filter((pid) => pid !== process.pid);
}

/** Kills them until there is none, for the end of a test that may have failed. */
export function killAllWith(text: string): void {
  for (let pids = livingWith(text); pids.length > 0; pids = livingWith(text)) {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has gone by itself.
      }
    }
  }
}

/** Waits until so many of them live, or fails. */
export async function untilLiving(text: string, count: number): Promise<number[]> {
  return until(
    () => livingWith(text),
    (pids) => pids.length >= count,
    `${count} processes with ${text}`,
  );
}

/** Waits until a value satisfies the condition, or fails after some seconds with what was seen last. */
export async function until<T>(look: () => T, good: (value: T) => boolean, what: string): Promise<T> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const value = look();
    if (good(value)) return value;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}; saw ${JSON.stringify(value)}`);
    await delay(5);
  }
}

function fromProc(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const seen = read(`/proc/${pid}/cmdline`) + read(`/proc/${pid}/environ`);
      return seen.includes(text) && !/\) [ZX] /.test(read(`/proc/${pid}/stat`));
    })
    .map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function fromPs(text: string): number[] {
  const lines = execFileSync('ps', ['axeww', '-o', 'pid=,stat=,command='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, state = ''] = /^\s*(\d+)\s+(\S+)/.exec(line) ?? [];
    return pid !== undefined && !state.startsWith('Z') && line.includes(text) ? [Number(pid)] : [];
  });
}

import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of the clock in which Linux counts, in milliseconds: it tells programs 100 a second on every machine. */
const TICK_MS = 10;

/**
 * Milliseconds of CPU that a process, its living descendants, and the ended children that they waited for have used;
 * null where the system does not tell, or the process is gone.
 *
 * @param except processes that are not counted; those below them are
 */
export function processorTime(root: number, except: ReadonlySet<number> = new Set()): number | null {
  if (process.platform !== 'linux') return null;
  const children = new Map<number, number[]>();
  const ticks = new Map<number, number>();
  for (const name of listed()) {
    const entry = /^\d+$/.test(name) ? read(Number(name)) : null;
    if (entry === null) continue;
    ticks.set(entry.pid, entry.ticks);
    children.set(entry.parent, [...(children.get(entry.parent) ?? []), entry.pid]);
  }
  if (!ticks.has(root)) return null;
  let sum = 0;
  const waiting = [root];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    if (!except.has(pid)) sum += ticks.get(pid) ?? 0;
    waiting.push(...(children.get(pid) ?? []));
  }
  return sum * TICK_MS;
}

function listed(): readonly string[] {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

function read(pid: number): { pid: number; parent: number; ticks: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may hold anything.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0] = fields.slice(1, 2);
    return { pid, parent, ticks: fields.slice(11, 15).reduce((sum, value) => sum + value, 0) };
  } catch {
    return null;
  }
}

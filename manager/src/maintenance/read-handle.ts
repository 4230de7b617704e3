import type { Handle } from '../placement/placement.ts';

/** A handle as the store kept it: what the placement gave, so it is not looked at here. */
export function readHandle(stored: Record<string, unknown> | null): Handle | null {
  return stored as Handle | null;
}

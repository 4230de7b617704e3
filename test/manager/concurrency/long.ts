/** Whether the long forms of these tests are wanted: AGENTRUN_TEST_LONG=1, for nights. */
export const LONG = process.env['AGENTRUN_TEST_LONG'] === '1';

/** The seed of everything that is drawn: AGENTRUN_TEST_SEED, else a new one at night and always the same by day. */
export const seed = Number(process.env['AGENTRUN_TEST_SEED'] ?? (LONG ? Date.now() % 2 ** 31 : 20_261_120));

/** Draws whole numbers below `limit`, the same ones for the same seed (mulberry32). */
export function random(from: number = seed): (limit: number) => number {
  let state = from >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

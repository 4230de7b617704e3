/** Before the lease ends we stop by ourselves: this long, or a tenth of a short lease. Milliseconds. */
const MARGIN_MS = 5000;
const LONGEST_STALL_MS = 30_000;

/** How long after the request that won it a lease may be used, in milliseconds. */
export const usableMs = (leaseMs: number): number => leaseMs - Math.min(MARGIN_MS, leaseMs / 10);

/** How long the main thread may be silent before nobody beats for it any more, in milliseconds. */
export const stallMs = (leaseMs: number): number => Math.min(LONGEST_STALL_MS, leaseMs / 3);

/** Milliseconds of a clock that all threads of this process share and that never goes back. */
export const clock = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

const [TICK, DEADLINE, UNREACHABLE] = [0, 1, 2];

/** What the main thread and the thread of the heartbeat tell each other without waiting. */
export class SharedLease {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  constructor(buffer = new SharedArrayBuffer(24)) {
    this.buffer = buffer;
    this.#cells = new BigInt64Array(buffer);
  }

  /** The main thread lives. */
  tick(): void {
    Atomics.store(this.#cells, TICK, process.hrtime.bigint());
  }

  /** How long ago that was, in milliseconds. */
  get sinceTick(): number {
    return clock() - Number(Atomics.load(this.#cells, TICK) / 1000n) / 1000;
  }

  /** Until when the lease may be used, on {@link clock}. */
  get deadline(): number {
    return Number(Atomics.load(this.#cells, DEADLINE) / 1000n) / 1000;
  }

  set deadline(at: number) {
    Atomics.store(this.#cells, DEADLINE, BigInt(Math.round(at * 1000)) * 1000n);
  }

  /** Whether it is the manager that does not answer, as far as the thread of the heartbeat knows. */
  get isUnreachable(): boolean {
    return Atomics.load(this.#cells, UNREACHABLE) === 1n;
  }

  set isUnreachable(is: boolean) {
    Atomics.store(this.#cells, UNREACHABLE, is ? 1n : 0n);
  }
}

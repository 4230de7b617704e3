import type { PoolLog } from '../db/pool.ts';
import { sweepSessions } from '../services/session-storage.ts';
import { DUTY_NEWS } from '../store/notify.ts';
import { deleteOldAnswers, deleteOldRuns } from '../store/sweep.ts';
import type { WithStarts } from './attempt-start.ts';
import { type Duty, startDuty } from './duty.ts';
import { noteExit, reviewExits } from './exits.ts';
import { reconcile } from './reconcile.ts';
import { retainAttempts } from './retain-attempts.ts';
import { doPromises } from './start-attempts.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const ANSWERS_MS = 7 * DAY_MS;
const RUNS_MS = 30 * DAY_MS;
const CHUNK = 100;
/** A gap between two looks that is longer than this kept runners from beating. */
const GAP_MS = 5000;

export interface DutyCounts {
  sessionsSwept(report: Awaited<ReturnType<typeof sweepSessions>>): void;
}

/**
 * What one manager of a database does at a time: promised work, the look at open runs, retention and sweeps. The looks
 * at open runs come every second and at once when there is news.
 */
export function startDuties(
  manager: WithStarts,
  options: { readonly url: string; readonly log: PoolLog; readonly counts?: DutyCounts; readonly retryMs?: number },
): Duty {
  const { log } = options;
  const { tickMs, graceMs } = manager.times;
  let graceUntil = 0;
  let lastTick = Number.NEGATIVE_INFINITY;
  let news = manager.wakeups.listen(DUTY_NEWS);
  const every = periodic();
  const warn = (error: unknown, what: string, id: string) => log.warn({ err: error, id }, what);

  const offExit = manager.placements.onExit((event) => {
    noteExit(manager, event).catch((error: unknown) =>
      warn(error, 'the end of a runner was not noted', event.attemptId),
    );
  });

  const duty = startDuty({
    url: options.url,
    log,
    ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
    begun: () => {
      lastTick = Number.NEGATIVE_INFINITY;
      news.close();
      news = manager.wakeups.listen(DUTY_NEWS);
    },
    tick: async (signal) => {
      const now = performance.now();
      if (now - lastTick > GAP_MS + tickMs) {
        graceUntil = now + graceMs;
        await reviewExits(manager);
      }
      await doPromises(manager, (error, work) =>
        warn(error, `${work.kind} failed and is tried again`, work.attempt_id),
      );
      if (signal.aborted) return;
      await reconcile(manager, performance.now() >= graceUntil, (error, runId) =>
        warn(error, 'a look at a run failed', runId),
      );
      if (signal.aborted) return;
      await every('retention', MINUTE_MS, () => retainAttempts(manager));
      await every('answers', MINUTE_MS, () => deleteOldAnswers(manager.pool, ANSWERS_MS, CHUNK * 10));
      await every('runs', MINUTE_MS, () => deleteOldRuns(manager.pool, RUNS_MS, CHUNK));
      await every('sessions', manager.config.sessionGcIntervalMs, async () => {
        const report = await sweepSessions(manager);
        options.counts?.sessionsSwept(report);
        if (report.couldNotLook !== null || report.failed.length > 0)
          log.warn(report, 'not all expired sessions were evicted');
      });
      lastTick = performance.now();
    },
    rest: async (signal) => {
      const onAbort = () => news.close();
      signal.addEventListener('abort', onAbort, { once: true });
      await news.next(tickMs);
      signal.removeEventListener('abort', onAbort);
    },
  });
  return {
    get held() {
      return duty.held;
    },
    stop: async () => {
      offExit();
      await duty.stop();
      news.close();
    },
  };
}

/** Does a thing when its time has come, counted from the last time that it went well. */
function periodic() {
  const last = new Map<string, number>();
  return async (name: string, ms: number, work: () => Promise<unknown>): Promise<void> => {
    const now = performance.now();
    if (now - (last.get(name) ?? Number.NEGATIVE_INFINITY) < ms) return;
    await work();
    last.set(name, now);
  };
}

import type { DutyCounts } from '../maintenance/duties.ts';
import type { Serving } from '../routes/serving.ts';
import type { Metrics } from './metrics.ts';

/** What the manager counts besides its requests. */
export function serviceMetrics(metrics: Metrics, serving: Serving): DutyCounts {
  metrics.gauge({
    name: 'agentrun_waiting_requests',
    help: 'Long-polls and streams that wait for news.',
    collect() {
      this.set(serving.wakeups.listening);
    },
  });
  metrics.gauge({
    name: 'agentrun_followed_runs',
    help: 'Runs whose events are followed by at least one stream.',
    collect() {
      this.set(serving.tails.size);
    },
  });
  metrics.gauge({
    name: 'agentrun_database_connections',
    help: 'Connections of the pool.',
    labelNames: ['state'],
    collect() {
      const { totalCount, idleCount, waitingCount } = serving.pool;
      this.set({ state: 'busy' }, totalCount - idleCount);
      this.set({ state: 'idle' }, idleCount);
      this.set({ state: 'wanted' }, waitingCount);
    },
  });
  const swept = metrics.counter({
    name: 'agentrun_sessions_evicted_total',
    help: 'Sessions whose volume was evicted because their time was over.',
  });
  const notSwept = metrics.counter({
    name: 'agentrun_session_sweep_failures_total',
    help: 'Sessions that could not be evicted, and sweeps that could not list the volumes.',
  });
  return {
    sessionsSwept: ({ evicted, failed, couldNotLook }) => {
      swept.inc(evicted.length);
      notSwept.inc(failed.length + (couldNotLook === null ? 0 : 1));
    },
  };
}

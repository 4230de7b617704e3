import type { Lane } from '../lane.ts';
import type { Rule } from './rule.ts';

interface Duration {
  readonly path: string;
  readonly of: (lane: Lane) => number;
}

const CANCEL = 'deployment.runner.cancelLifecycle';
const gracefulAbort: Duration = {
  path: `${CANCEL}.gracefulAbortMs`,
  of: (lane) => lane.deployment.runner.cancelLifecycle.gracefulAbortMs,
};
const killEscalation: Duration = {
  path: `${CANCEL}.killEscalationMs`,
  of: (lane) => lane.deployment.runner.cancelLifecycle.killEscalationMs,
};
const fencing: Duration = {
  path: `${CANCEL}.staleHeartbeatFencingMs`,
  of: (lane) => lane.deployment.runner.cancelLifecycle.staleHeartbeatFencingMs,
};
const activeHeartbeat: Duration = {
  path: 'deployment.runner.retention.activeHeartbeatMaxAgeMs',
  of: (lane) => lane.deployment.runner.retention.activeHeartbeatMaxAgeMs,
};
const initialBackoff: Duration = {
  path: 'deployment.runner.backendRetry.initialBackoffMs',
  of: (lane) => lane.deployment.runner.backendRetry.initialBackoffMs,
};
const maxBackoff: Duration = {
  path: 'deployment.runner.backendRetry.maxBackoffMs',
  of: (lane) => lane.deployment.runner.backendRetry.maxBackoffMs,
};

function longer(longer: Duration, than: Duration, orEqual: boolean, why: string): Rule {
  return {
    reads: [longer.path, than.path],
    check(lane) {
      const long = longer.of(lane);
      const short = than.of(lane);
      if (orEqual ? long >= short : long > short) return [];
      const relation = orEqual ? 'at least' : 'greater than';
      return [
        {
          message: `${longer.path} must be ${relation} ${than.path}, ${why}; found ${long} and ${short}`,
          paths: [longer.path, than.path],
        },
      ];
    },
  };
}

/** The stages of a cancel follow one another, all counted from its request. */
export const timingRules: readonly Rule[] = [
  longer(killEscalation, gracefulAbort, false, 'so that a runner has time to stop before it is killed'),
  longer(fencing, killEscalation, false, 'so that a runner is killed before it is fenced off'),
  longer(activeHeartbeat, fencing, true, 'so that a Job is cleaned up only after its runner was fenced off'),
  longer(maxBackoff, initialBackoff, true, 'because it is the longest wait'),
];

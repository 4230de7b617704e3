/** The stages of a cancel that may become events: its phases without the prefix "cancel-". */
export const CANCEL_STAGES = [
  'requested',
  'delivered',
  'graceful-abort',
  'kill-escalated',
  'heartbeat-fenced',
  'late-write-fenced',
  'terminal',
] as const;

/** How a runner hears of a cancel: with its next poll or heartbeat, or by waking a waiting poll. */
export const DELIVERY_MODES = ['poll', 'push'] as const;

/** Where runners live: a Kubernetes Job each, or child processes of the manager. */
export const RUNNER_PLACEMENTS = ['kubernetes-job', 'host-process'] as const;

/** Which runner goes first when there are too many. */
export const CLEANUP_ORDER = 'oldest-inactive-last-active-first';

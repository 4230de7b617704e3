/** What of a lane decides the labels of its runner Jobs. */
export interface RunnerJobLabelSource {
  readonly version: string;
  readonly labelDomain: string;
}

/** The labels that the manager stamps on each runner Job of a lane, and by which retention finds them. */
export function runnerJobLabels(lane: RunnerJobLabelSource): Record<string, string> {
  return {
    [`${lane.labelDomain}/lane`]: lane.version,
    'app.kubernetes.io/component': 'runner',
    'app.kubernetes.io/part-of': 'agentrun',
  };
}

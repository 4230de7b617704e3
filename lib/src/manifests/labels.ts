import type { Lane } from '../lane/lane.ts';

export type Labels = Record<string, string>;

/** The selector label of every workload: part of the contract, and immutable once deployed. */
export const NAME_LABEL = 'app.kubernetes.io/name';

/** The parts of a lane, as the recommended label `app.kubernetes.io/component` names them. */
export type Component = 'ci' | 'gitops' | 'namespace' | 'database' | 'manager' | 'runner' | 'network';

/** The three labels that every object and every pod of a lane carries. */
function laneLabels(lane: Lane): Labels {
  return {
    'app.kubernetes.io/part-of': 'agentrun',
    [`${lane.labelDomain}/lane`]: lane.version,
    [`${lane.labelDomain}/node`]: lane.nodeId,
  };
}

/** The lane's labels and the recommended ones; `name` is the workload or part that the object belongs to. */
export function objectLabels(lane: Lane, component: Component, name: string): Labels {
  return {
    ...laneLabels(lane),
    [NAME_LABEL]: name,
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/managed-by': 'agentrun',
  };
}

/** When Argo CD applies an object: lower waves first. */
export const SYNC_WAVES = { namespace: -3, access: -2, database: -1, manager: 0 } as const;

/** Argo CD annotations: the wave, and whether prune spares the object. */
export function syncAnnotations(wave: keyof typeof SYNC_WAVES, options: { keep?: boolean } = {}): Labels {
  return {
    'argocd.argoproj.io/sync-wave': String(SYNC_WAVES[wave]),
    ...(options.keep ? { 'argocd.argoproj.io/sync-options': 'Prune=false' } : {}),
  };
}

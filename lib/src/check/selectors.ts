import type { Lane } from '../lane/lane.ts';
import { runnerJobLabels } from '../lane/runner-job-labels.ts';
import type { Finding } from './finding.ts';
import { dig, listOf, selects, type View, viewOf } from './json-view.ts';
import type { PodTemplate } from './pods.ts';
import { findingAt, type PlacedObject } from './rendered-objects.ts';

/** A workload must select the pods of its own template, and no other workload's. */
export function checkWorkloadSelectors(pods: readonly PodTemplate[]): Finding[] {
  return pods
    .filter(({ owner }) => owner.object.kind !== 'Job')
    .flatMap((pod) => {
      const selector = viewOf(dig(pod.owner.object, 'spec', 'selector', 'matchLabels'));
      const at = (message: string) => [findingAt(pod.owner, 'output-selector', '/spec/selector/matchLabels', message)];
      if (Object.keys(selector).length === 0) return at('the selector is empty');
      if (!selects(selector, pod.labels)) return at('the labels of the pod template do not contain the selector');
      const other = pods.find(
        (candidate) =>
          candidate.owner !== pod.owner &&
          candidate.owner.object.metadata?.namespace === pod.owner.object.metadata?.namespace &&
          selects(selector, candidate.labels),
      );
      return other === undefined ? [] : at(`the selector matches the pods of ${other.owner.object.metadata?.name} too`);
    });
}

/** A network policy must speak of pods that exist: of the lane's workloads, or of its runners. */
export function checkPolicySelectors(
  lane: Lane,
  objects: readonly PlacedObject[],
  pods: readonly PodTemplate[],
): Finding[] {
  const known: View[] = [...pods.map(({ labels }) => labels), runnerJobLabels(lane)];
  return objects
    .filter(({ object }) => object.kind === 'NetworkPolicy')
    .flatMap((placed) =>
      selectorPointers(placed.object).flatMap((pointer) => {
        const keys = pointer
          .slice(1)
          .split('/')
          .map((key) => (/^[0-9]+$/.test(key) ? Number(key) : key));
        const selector = viewOf(dig(placed.object, ...keys, 'matchLabels'));
        if (Object.keys(selector).length === 0 || known.some((labels) => selects(selector, labels))) return [];
        return [findingAt(placed, 'output-selector', `${pointer}/matchLabels`, 'no pod of the lane has these labels')];
      }),
    );
}

/** Pointers of the selectors for pods of the same namespace. */
function selectorPointers(policy: unknown): string[] {
  const peers = (direction: string, side: string) =>
    listOf(dig(policy, 'spec', direction)).flatMap((rule, at) =>
      listOf(dig(rule, side)).flatMap((peer, position) =>
        viewOf(peer)['podSelector'] === undefined || viewOf(peer)['namespaceSelector'] !== undefined
          ? []
          : [`/spec/${direction}/${at}/${side}/${position}/podSelector`],
      ),
    );
  return ['/spec/podSelector', ...peers('ingress', 'from'), ...peers('egress', 'to')];
}

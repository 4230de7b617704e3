import type { Finding } from './finding.ts';
import { anyText, dig, listOf, shown, type View, viewOf } from './json-view.ts';
import { containersOf, type PodTemplate } from './pods.ts';
import { findingAt, type PlacedObject } from './rendered-objects.ts';
import { restrictedBreaches } from './restricted-container.ts';

const VOLUME_KINDS = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);
const SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_syncookies',
]);

/**
 * The Pod Security Standard "restricted", and above it: resources on every container, a read-only root, no account
 * token unless asked for. The steps of a Pipeline are held to the standard, too. A Namespace that enforces less than
 * what it holds needs is a finding: "restricted" for pods, "baseline" for a Pipeline, whose pods Tekton completes.
 */
export function checkPodSecurity(objects: readonly PlacedObject[], pods: readonly PodTemplate[]): Finding[] {
  const pipelines = objects.filter(({ object }) => object.kind === 'Pipeline');
  return [
    ...enforced(
      objects,
      pods.map(({ owner }) => owner),
      ['restricted'],
    ),
    ...enforced(objects, pipelines, ['baseline', 'restricted']),
    ...pods.flatMap((pod) => [...podRules(pod), ...containersOf(pod).flatMap((entry) => containerRules(pod, entry))]),
    ...pipelines.flatMap(stepRules),
  ];
}

function enforced(
  objects: readonly PlacedObject[],
  held: readonly PlacedObject[],
  levels: readonly string[],
): Finding[] {
  const namespaces = held.map(({ object }) => object.metadata?.namespace);
  return objects
    .filter(({ object }) => object.kind === 'Namespace' && namespaces.includes(object.metadata?.name))
    .filter(({ object }) => {
      const level = dig(object, 'metadata', 'labels', 'pod-security.kubernetes.io/enforce');
      return !levels.some((allowed) => allowed === level);
    })
    .map((placed) =>
      findingAt(
        placed,
        'output-pod-security',
        '/metadata/labels',
        `the namespace must enforce the level "${levels[0]}"`,
      ),
    );
}

function podRules({ owner, pointer, spec }: PodTemplate): Finding[] {
  const findings: Finding[] = [];
  const at = (where: string, message: string) =>
    findings.push(findingAt(owner, 'output-pod-security', `${pointer}/spec${where}`, message));
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) {
    if (spec[field] === true) at(`/${field}`, 'the pod must not share the host');
  }
  if (spec['enableServiceLinks'] !== false) at('', 'enableServiceLinks must be false');
  if (typeof spec['automountServiceAccountToken'] !== 'boolean')
    at('', 'automountServiceAccountToken must be written out');
  listOf(spec['volumes']).forEach((volume, position) => {
    const other = Object.keys(viewOf(volume)).find((key) => key !== 'name' && !VOLUME_KINDS.has(key));
    if (other !== undefined) at(`/volumes/${position}/${other}`, 'volumes of this kind are not allowed');
  });
  const sysctl = listOf(dig(spec, 'securityContext', 'sysctls')).find(
    (entry) => !SYSCTLS.has(anyText(dig(entry, 'name'))),
  );
  if (sysctl !== undefined)
    at('/securityContext/sysctls', `the kernel setting ${shown(dig(sysctl, 'name'))} is not allowed`);
  return findings;
}

function containerRules(pod: PodTemplate, { pointer, container }: { pointer: string; container: View }): Finding[] {
  const findings: Finding[] = [];
  const at = (where: string, message: string) =>
    findings.push(findingAt(pod.owner, 'output-pod-security', where, message));
  const own = viewOf(container['securityContext']);
  const shared = viewOf(pod.spec['securityContext']);

  const contexts = { own, ownPointer: pointer, shared, sharedPointer: `${pod.pointer}/spec` };
  for (const breach of restrictedBreaches(contexts)) at(breach.pointer, breach.message);
  if (own['readOnlyRootFilesystem'] !== true) at(`${pointer}/securityContext`, 'readOnlyRootFilesystem must be true');
  listOf(container['ports']).forEach((port, position) => {
    if (dig(port, 'hostPort') !== undefined) at(`${pointer}/ports/${position}/hostPort`, 'host ports are not allowed');
  });
  for (const kind of ['requests', 'limits']) {
    for (const resource of ['cpu', 'memory']) {
      if (dig(container['resources'], kind, resource) === undefined) {
        at(`${pointer}/resources`, `${kind}.${resource} is missing`);
      }
    }
  }
  return findings;
}

function stepRules(placed: PlacedObject): Finding[] {
  return ['tasks', 'finally'].flatMap((group) =>
    listOf(dig(placed.object, 'spec', group)).flatMap((task, taskAt) =>
      listOf(dig(task, 'taskSpec', 'steps')).flatMap((step, stepAt) => {
        const pointer = `/spec/${group}/${taskAt}/taskSpec/steps/${stepAt}`;
        const own = viewOf(dig(step, 'securityContext'));
        return restrictedBreaches({ own, ownPointer: pointer, shared: {}, sharedPointer: pointer }).map((breach) =>
          findingAt(placed, 'output-pod-security', breach.pointer, breach.message),
        );
      }),
    ),
  );
}

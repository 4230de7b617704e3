import type { Lane } from '../lane/lane.ts';
import { providerCredentials, toolCredentials } from '../manifests/credentials.ts';
import { prerequisites } from '../manifests/prerequisites.ts';
import type { Finding } from './finding.ts';
import { anyText, dig, listOf, shown, textOf, viewOf } from './json-view.ts';
import { containersOf, type PodTemplate } from './pods.ts';
import { findingAt, type PlacedObject } from './rendered-objects.ts';
import { volumeReferences } from './volume-references.ts';

/** Every Secret, ConfigMap, ServiceAccount, PersistentVolumeClaim and Role that is referred to is there, or declared. */
export function checkReferences(lane: Lane, objects: readonly PlacedObject[], pods: readonly PodTemplate[]): Finding[] {
  const rendered = (kind: string, namespace: string | undefined, name: unknown) =>
    objects.some(
      ({ object }) =>
        object.kind === kind && object.metadata?.namespace === namespace && object.metadata?.name === name,
    );
  const declared = declaredSecrets(lane);
  return [
    ...pods.flatMap((pod) => podReferences(pod, rendered, declared)),
    ...objects
      .filter(({ object }) => object.kind === 'RoleBinding')
      .flatMap((placed) => bindingReferences(placed, rendered)),
  ];
}

/** Names of the Secrets that exist beside the rendered objects, with the keys that are known to be needed. */
function declaredSecrets(lane: Lane): Map<string, readonly string[] | undefined> {
  const declared = new Map<string, readonly string[] | undefined>();
  for (const needed of prerequisites(lane)) {
    if (needed.kind === 'Secret' && needed.namespace === lane.runtime.namespace) declared.set(needed.name, needed.keys);
  }
  // The manager makes these two itself.
  declared.set(providerCredentials(lane), undefined);
  declared.set(toolCredentials(lane), undefined);
  return declared;
}

type IsRendered = (kind: string, namespace: string | undefined, name: unknown) => boolean;

function podReferences(
  pod: PodTemplate,
  rendered: IsRendered,
  secrets: ReadonlyMap<string, readonly string[] | undefined>,
): Finding[] {
  const namespace = pod.owner.object.metadata?.namespace;
  const findings: Finding[] = [];
  const at = (pointer: string, message: string) =>
    findings.push(findingAt(pod.owner, 'output-reference', pointer, message));
  const secret = (pointer: string, name: unknown) => {
    if (secrets.has(anyText(name)) || rendered('Secret', namespace, name)) return;
    at(pointer, `the Secret ${shown(name)} is neither rendered nor a prerequisite of the lane`);
  };
  const secretKey = (pointer: string, name: unknown, key: unknown) => {
    const keys = secrets.get(anyText(name));
    if (keys === undefined || keys.includes(anyText(key))) return;
    at(pointer, `the Secret ${shown(name)} is not known to have the key ${shown(key)}`);
  };
  const other = (pointer: string, kind: 'ConfigMap' | 'PersistentVolumeClaim', name: unknown) => {
    if (!rendered(kind, namespace, name)) at(pointer, `the ${kind} ${shown(name)} is not rendered`);
  };

  const account = textOf(pod.spec['serviceAccountName']);
  if (account !== undefined && !rendered('ServiceAccount', namespace, account)) {
    at(`${pod.pointer}/spec/serviceAccountName`, `the ServiceAccount "${account}" is not rendered`);
  }
  for (const { pointer, container } of containersOf(pod)) {
    listOf(container['env']).forEach((entry, position) => {
      const from = viewOf(dig(entry, 'valueFrom'));
      const base = `${pointer}/env/${position}/valueFrom`;
      if (from['secretKeyRef'] !== undefined) {
        const name = dig(from, 'secretKeyRef', 'name');
        secret(`${base}/secretKeyRef/name`, name);
        secretKey(`${base}/secretKeyRef/key`, name, dig(from, 'secretKeyRef', 'key'));
      }
      if (from['configMapKeyRef'] !== undefined) {
        other(`${base}/configMapKeyRef/name`, 'ConfigMap', dig(from, 'configMapKeyRef', 'name'));
      }
    });
    listOf(container['envFrom']).forEach((entry, position) => {
      const base = `${pointer}/envFrom/${position}`;
      if (dig(entry, 'secretRef') !== undefined) secret(`${base}/secretRef/name`, dig(entry, 'secretRef', 'name'));
      if (dig(entry, 'configMapRef') !== undefined) {
        other(`${base}/configMapRef/name`, 'ConfigMap', dig(entry, 'configMapRef', 'name'));
      }
    });
    volumeMounts(pod, pointer, container['volumeMounts'], at);
  }
  const spec = `${pod.pointer}/spec`;
  listOf(pod.spec['imagePullSecrets']).forEach((entry, position) => {
    secret(`${spec}/imagePullSecrets/${position}/name`, dig(entry, 'name'));
  });
  for (const { kind, name, pointer, keys } of volumeReferences(pod.spec['volumes'], `${spec}/volumes`)) {
    if (kind !== 'Secret') other(pointer, kind, name);
    else {
      secret(pointer, name);
      for (const taken of keys) secretKey(taken.pointer, name, taken.key);
    }
  }
  return findings;
}

/** What a container mounts must be a volume of the pod, or a claim template of its StatefulSet. */
function volumeMounts(
  pod: PodTemplate,
  pointer: string,
  mounts: unknown,
  at: (pointer: string, message: string) => void,
): void {
  const volumes = [
    ...listOf(pod.spec['volumes']).map((volume) => dig(volume, 'name')),
    ...listOf(dig(pod.owner.object, 'spec', 'volumeClaimTemplates')).map((claim) => dig(claim, 'metadata', 'name')),
  ];
  listOf(mounts).forEach((mount, position) => {
    if (!volumes.includes(dig(mount, 'name'))) {
      at(`${pointer}/volumeMounts/${position}/name`, `the pod has no volume ${shown(dig(mount, 'name'))}`);
    }
  });
}

function bindingReferences(placed: PlacedObject, rendered: IsRendered): Finding[] {
  const { object } = placed;
  const namespace = object.metadata?.namespace;
  const role = dig(object, 'roleRef', 'name');
  return [
    ...(dig(object, 'roleRef', 'kind') === 'Role' && rendered('Role', namespace, role)
      ? []
      : [findingAt(placed, 'output-reference', '/roleRef/name', `the Role ${shown(role)} is not rendered`)]),
    ...listOf(object['subjects']).flatMap((subject, at) => {
      const account = dig(subject, 'name');
      const where = textOf(dig(subject, 'namespace')) ?? namespace;
      return dig(subject, 'kind') === 'ServiceAccount' && rendered('ServiceAccount', where, account)
        ? []
        : [
            findingAt(
              placed,
              'output-reference',
              `/subjects/${at}/name`,
              `the ServiceAccount ${shown(account)} of the namespace ${shown(where)} is not rendered`,
            ),
          ];
    }),
  ];
}

import type { KubernetesObject } from '../manifests/kubernetes-object.ts';
import type { RenderedFile } from '../render/render-lane.ts';
import type { Finding } from './finding.ts';
import { anyText, textOf } from './json-view.ts';

/** What a check reads: the files of the GitOps branch and the control plane. */
export interface CheckedOutput {
  readonly files: readonly RenderedFile[];
  readonly controlPlane: RenderedFile;
}

/** An object with the place where it stands. */
export interface PlacedObject {
  readonly file: string;
  readonly index: number;
  readonly object: KubernetesObject;
}

/** `Kind/name`, or the kind alone where there is no name. */
export function objectTitle({ kind, metadata }: KubernetesObject): string {
  const name: unknown = metadata?.name;
  return name === undefined ? anyText(kind) : `${anyText(kind)}/${anyText(name)}`;
}

/** Every object of some files, in order. */
export function placedObjects(files: readonly RenderedFile[]): PlacedObject[] {
  return files.flatMap(({ path, objects }) => objects.map((object, index) => ({ file: path, index, object })));
}

/** A finding about one place in one object. */
export function findingAt(
  { file, index, object }: PlacedObject,
  code: Finding['code'],
  pointer: string,
  message: string,
  hint?: string,
): Finding {
  const title = objectTitle(object);
  return {
    code,
    file,
    index,
    object: title,
    pointer,
    message: `${title} ${pointer}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** The API group of an object; empty for the core group. */
export const groupOf = (object: KubernetesObject): string =>
  /^([^/]*)\//.exec(textOf(object.apiVersion) ?? '')?.[1] ?? '';

const CLUSTER_KINDS = new Set([
  'Namespace',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'StorageClass',
]);

/** Whether objects of this kind live outside namespaces. */
export const isClusterScoped = ({ kind }: KubernetesObject): boolean => CLUSTER_KINDS.has(kind);

/** Objects that a cluster would get: the Kustomization is for kustomize only. */
export const isClusterObject = ({ kind }: KubernetesObject): boolean => kind !== 'Kustomization';

import type { Json, KubernetesObject } from '../../lib/src/manifests/kubernetes-object.ts';
import { GOOD_CLUSTER_OBJECTS } from './good-cluster-objects.ts';
import { GOOD_DELIVERY_OBJECTS } from './good-delivery-objects.ts';
import { GOOD_WORKLOADS } from './good-workloads.ts';

/** One good object of each rendered kind. */
export const GOOD_OBJECTS: readonly KubernetesObject[] = [
  ...GOOD_CLUSTER_OBJECTS,
  ...GOOD_WORKLOADS,
  ...GOOD_DELIVERY_OBJECTS,
];

/** A fresh copy of the good object of a kind. */
export function goodObject(kind: string): KubernetesObject {
  const found = GOOD_OBJECTS.find((object) => object.kind === kind);
  if (found === undefined) throw new Error(`there is no good ${kind}`);
  return JSON.parse(JSON.stringify(found)) as KubernetesObject;
}

/** The good object of a kind with the value at a JSON pointer set, or taken away when it is undefined. */
export function brokenObject(kind: string, pointer: string, value?: Json): KubernetesObject {
  const object = goodObject(kind);
  const keys = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop() ?? '';
  let holder: unknown = object;
  for (const key of keys) holder = (holder as Record<string, unknown>)[key];
  if (typeof holder !== 'object' || holder === null) throw new Error(`the good ${kind} has nothing at ${pointer}`);
  if (value !== undefined) (holder as Record<string, unknown>)[last] = value;
  else if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete (holder as Record<string, unknown>)[last];
  return object;
}

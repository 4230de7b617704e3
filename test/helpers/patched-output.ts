import type { KubernetesObject } from '../../lib/src/manifests/kubernetes-object.ts';
import type { RenderedFile, RenderedLane } from '../../lib/src/render/render-lane.ts';
import { yamlDocuments } from '../../lib/src/render/yaml.ts';

/** A change of an object; the object is a copy that may be changed. */
export type Change = (object: KubernetesObject) => void;

/** JSON pointer within the first container of a workload. */
export const containerPointer = (rest: string): string => `/spec/template/spec/containers/0/${rest}`;

const titleOf = ({ kind, metadata }: KubernetesObject) =>
  metadata?.name === undefined ? kind : `${kind}/${metadata.name}`;

/** The place of an object, `Kind/name`: the first one, the control plane before the files. */
export function objectAt(
  { controlPlane, files }: Pick<RenderedLane, 'controlPlane' | 'files'>,
  title: string,
): { file: string; index: number; value: KubernetesObject } {
  for (const { path, objects } of [controlPlane, ...files]) {
    const index = objects.findIndex((object) => titleOf(object) === title);
    if (index >= 0) return { file: path, index, value: objects[index] as KubernetesObject };
  }
  throw new Error(`there is no ${title}`);
}

/** The file with other objects, and the content that they would have. */
export const withObjects = (file: RenderedFile, objects: readonly KubernetesObject[]): RenderedFile => ({
  ...file,
  objects,
  content: yamlDocuments(objects),
});

/** The output with one object changed wherever it stands, so also in its copy; nothing that is given is changed. */
export function patched(rendered: RenderedLane, title: string, change: Change): RenderedLane {
  let found = false;
  const inFile = (file: RenderedFile): RenderedFile => {
    if (!file.objects.some((object) => titleOf(object) === title)) return file;
    found = true;
    const objects = file.objects.map((object) => {
      if (titleOf(object) !== title) return object;
      const copy = structuredClone(object);
      change(copy);
      return copy;
    });
    return withObjects(file, objects);
  };
  const result = { ...rendered, controlPlane: inFile(rendered.controlPlane), files: rendered.files.map(inFile) };
  if (!found) throw new Error(`there is no ${title}`);
  return result;
}

/** Sets the value at a JSON pointer; undefined takes the member away, `-` adds to a list. */
export const setAt =
  (pointer: string, value: unknown): Change =>
  (object) => {
    const keys = pointer
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    let holder: unknown = object;
    for (const key of keys) holder = (holder as Record<string, unknown>)[key];
    if (typeof holder !== 'object' || holder === null) throw new Error(`nothing stands around ${pointer}`);
    if (Array.isArray(holder) && last === '-') holder.push(value);
    else if (Array.isArray(holder) && value === undefined) holder.splice(Number(last), 1);
    else if (value === undefined) delete (holder as Record<string, unknown>)[last];
    else (holder as Record<string, unknown>)[last] = value;
  };

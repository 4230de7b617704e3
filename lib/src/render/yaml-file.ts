import type { KubernetesObject } from '../manifests/kubernetes-object.ts';
import type { RenderedFile } from './render-lane.ts';
import { yamlDocuments } from './yaml.ts';

/** What was made here and is frozen, so that nobody has changed it since. */
const made = new WeakSet<object>();

/** A file that holds the objects as YAML; it and they are frozen. */
export function yamlFile(path: string, objects: readonly KubernetesObject[]): RenderedFile {
  const file = { path, content: yamlDocuments(objects), objects };
  freeze(file);
  made.add(file);
  return file;
}

/** Whether the text of a file is what our writer made of its objects. False says nothing. */
export const isAsWritten = (file: object): boolean => made.has(file);

function freeze(value: object): void {
  Object.freeze(value);
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) freeze(child);
  }
}

import { standaloneValidators } from '../standalone-validator.ts';
import { RENDERED_KINDS } from './kinds.ts';
import { objectSchemas } from './object-schemas.ts';

/**
 * The precompiled validators of every rendered kind, by `apiVersion/kind`. One file: a run checks objects of all
 * groups, and what they share (metadata, environment, volumes) is there once.
 */
export async function makeObjectValidators(root: string): Promise<string> {
  const refs = RENDERED_KINDS.map(({ kind, apiVersion }) => [`${apiVersion}/${kind}`, `#/$defs/${kind}`] as const);
  return standaloneValidators(
    await objectSchemas(root),
    Object.fromEntries(refs),
    'closed validators of Kubernetes 1.28, Argo CD, Tekton and Kustomization objects.',
  );
}

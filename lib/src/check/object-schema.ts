import { closest } from '../lane/did-you-mean.ts';
import type { KubernetesObject } from '../manifests/kubernetes-object.ts';
import { anyText } from './json-view.ts';
import { type SchemaError, schemaErrorFindings } from './schema-error-findings.ts';
import type { Mask, SchemaFinding } from './schema-finding.ts';
import { validators } from './schemas/objects.gen.ts';

export type { Mask, SchemaFinding } from './schema-finding.ts';

const KINDS = Object.keys(validators).map((key) => {
  const slash = key.lastIndexOf('/');
  return { apiVersion: key.slice(0, slash), kind: key.slice(slash + 1) };
});

/**
 * Judges one rendered object by the closed schema of its kind: every unknown field, wrong type, missing field and value
 * that the API would refuse, all at once, one finding for each place. A kind without a schema is a finding, too.
 *
 * `mask` is applied to each text that comes from the object before it enters a message, because it might be a secret.
 * The pointers are not masked.
 */
export function checkObjectSchema(object: KubernetesObject, mask: Mask = (text) => text): SchemaFinding[] {
  const { apiVersion, kind } = object as { apiVersion?: unknown; kind?: unknown };
  const missing = [...(apiVersion === undefined ? ['apiVersion'] : []), ...(kind === undefined ? ['kind'] : [])].map(
    (field): SchemaFinding => ({ code: 'output-schema', pointer: '', message: `${field} is missing` }),
  );
  if (missing.length > 0) return missing;
  const key = `${anyText(apiVersion)}/${anyText(kind)}`;
  const validate = Object.hasOwn(validators, key) ? validators[key] : undefined;
  if (validate === undefined) return [withoutSchema(anyText(apiVersion), anyText(kind), mask)];
  if (validate(object)) return [];
  return schemaErrorFindings(object, (validate.errors ?? []) as unknown as readonly SchemaError[], mask);
}

function withoutSchema(apiVersion: string, kind: string, mask: Mask): SchemaFinding {
  const known = KINDS.find((candidate) => candidate.kind === kind);
  if (known !== undefined) {
    return {
      code: 'output-no-schema',
      pointer: '/apiVersion',
      message: `apiVersion of a ${kind} must be "${known.apiVersion}", found ${JSON.stringify(mask(apiVersion))}`,
    };
  }
  const meant = closest(
    kind,
    KINDS.map((candidate) => candidate.kind),
  );
  return {
    code: 'output-no-schema',
    pointer: '/kind',
    message: `there is no schema for the kind ${JSON.stringify(mask(kind))} of ${JSON.stringify(mask(apiVersion))}`,
    ...(meant === undefined ? {} : { hint: `Did you mean ${meant}?` }),
  };
}

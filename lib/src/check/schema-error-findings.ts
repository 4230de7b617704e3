import type { KubernetesObject } from '../manifests/kubernetes-object.ts';
import { pointerSegment, viewOf } from './json-view.ts';
import type { Mask, SchemaFinding } from './schema-finding.ts';
import {
  badValue,
  missingField,
  type RefusingSchema,
  repeatedItem,
  unknownField,
  wrongShape,
} from './schema-messages.ts';

/** One error of a precompiled validator. */
export interface SchemaError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The schema that holds the keyword. */
  readonly parentSchema: RefusingSchema;
  /** The value that was judged; the key, when it is a key that was judged. */
  readonly data: unknown;
  /** Only present inside of alternatives. */
  readonly schemaPath?: string;
}

/** The most telling keyword first: of several errors about one value, one is reported. */
const VALUE_KEYWORDS = ['type', 'const', 'enum', 'pattern', 'maxLength', 'minLength', 'minimum', 'maximum', 'minItems'];
/** Rules about which fields of an object go together. */
const SHAPE_KEYWORDS = ['oneOf', 'not', 'minProperties', 'maxProperties'];

/**
 * The errors of a validator as findings in sentences. Noise is folded: one finding for each value, none for the
 * branches of alternatives, and where a field is misspelt, nothing about the field that it was meant to be.
 */
export function schemaErrorFindings(
  object: KubernetesObject,
  errors: readonly SchemaError[],
  mask: Mask,
): SchemaFinding[] {
  const telling = errors.filter(({ schemaPath, keyword }) => schemaPath === undefined && keyword !== 'if');
  const findings = new Map<string, SchemaFinding>();
  /** Objects with a misspelt field, and the fields that were meant. */
  const misspelt = new Map<string, Set<string>>();
  const add = (id: string, finding: SchemaFinding): void => {
    if (!findings.has(id)) findings.set(id, finding);
  };

  for (const { instancePath, keyword, params, parentSchema } of telling) {
    if (keyword !== 'additionalProperties') continue;
    const { finding, meant } = unknownField(instancePath, String(params['additionalProperty']), parentSchema, mask);
    add(finding.pointer, finding);
    const names = misspelt.get(instancePath) ?? new Set();
    if (meant !== undefined) names.add(meant);
    misspelt.set(instancePath, names);
  }
  const ofValue = new Map<string, SchemaError>();
  for (const error of telling) {
    const { instancePath, keyword, params, parentSchema, data } = error;
    if (VALUE_KEYWORDS.includes(keyword)) {
      const pointer = isAboutKey(object, error) ? `${instancePath}/${pointerSegment(String(data))}` : instancePath;
      const known = ofValue.get(pointer);
      if (known === undefined || tellsMore(error, known)) ofValue.set(pointer, error);
    } else if (keyword === 'required' || keyword === 'dependencies') {
      const field = String(params['missingProperty']);
      if (misspelt.get(instancePath)?.has(field) !== true) {
        add(`${instancePath} ${field}`, missingField(instancePath, field, params['property'], mask));
      }
    } else if (SHAPE_KEYWORDS.includes(keyword)) {
      if (!misspelt.has(instancePath)) {
        add(`${instancePath} shape`, wrongShape(instancePath, Object.keys(viewOf(data)), parentSchema, mask));
      }
    } else if (keyword === 'uniqueItems') {
      const finding = repeatedItem(instancePath, Number(params['i']), Number(params['j']), data, mask);
      add(finding.pointer, finding);
    }
  }
  for (const [pointer, error] of ofValue) {
    add(pointer, badValue(pointer, error.data, isAboutKey(object, error), error.parentSchema, mask));
  }
  return [...findings.values()];
}

/** An error about a key carries the key as its data, and the pointer of the map that has the key. */
function isAboutKey(object: KubernetesObject, { instancePath, data }: SchemaError): boolean {
  let value: unknown = object;
  for (const segment of instancePath.split('/').slice(1)) {
    value = (value as Record<string, unknown>)[segment.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return typeof data === 'string' && typeof value === 'object' && value !== null;
}

function tellsMore(error: SchemaError, known: SchemaError): boolean {
  const [rank, knownRank] = [VALUE_KEYWORDS.indexOf(error.keyword), VALUE_KEYWORDS.indexOf(known.keyword)];
  if (rank !== knownRank) return rank < knownRank;
  // The narrower of two lists of words is the one that holds here.
  return (error.parentSchema.enum?.length ?? 0) < (known.parentSchema.enum?.length ?? 0);
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closed, type Definitions, FLAG, list, map, ref, type Schema, TEXT } from './schema.ts';

interface JsiiType {
  readonly primitive?: string;
  readonly fqn?: string;
  readonly collection?: { readonly kind: 'array' | 'map'; readonly elementtype: JsiiType };
}

interface JsiiProperty {
  readonly optional?: boolean;
  readonly type: JsiiType;
  /** `io.k8s.api.apps.v1.Deployment#spec`: the name in the API, where `name` is jsii's. */
  readonly docs?: { readonly custom?: { readonly schema?: string } };
}

interface Jsii {
  readonly types: Record<string, { readonly kind: string; readonly properties?: readonly JsiiProperty[] }>;
}

const PREFIX = 'cdk8s-plus-28.k8s.';
/** Two classes wrap a value instead of holding fields; overlay rows say what each use of them takes. */
export const WRAPPERS: Definitions = {
  AnyQuantity: { type: ['string', 'number'] },
  AnyIntOrString: { type: ['integer', 'string'] },
};

/** The name of a definition: `KubeDeploymentProps` is the body of the kind, `Deployment`. */
const definitionName = (fqn: string): string =>
  fqn
    .slice(PREFIX.length)
    .replace(/^Kube(\w+)Props$/, '$1')
    .replace(/^(Quantity|IntOrString)$/, 'Any$1');

function schemaOf(type: JsiiType): Schema {
  if (type.collection?.kind === 'array') return list(schemaOf(type.collection.elementtype));
  if (type.collection?.kind === 'map') return map(schemaOf(type.collection.elementtype));
  if (type.fqn !== undefined) return ref(definitionName(type.fqn));
  switch (type.primitive) {
    case 'string':
    case 'date':
      return TEXT;
    case 'boolean':
      return FLAG;
    case 'number':
      return { type: 'number' };
    case 'any':
      return {};
    default:
      throw new Error(`a jsii type that this generator does not know: ${JSON.stringify(type)}`);
  }
}

/**
 * Closed definitions of every Kubernetes type of cdk8s-plus-28 (Kubernetes 1.28), with the field names of the API.
 * A kind stands under its name, without apiVersion and kind.
 */
export async function jsiiDefinitions(root: string): Promise<Definitions> {
  const path = join(root, 'node_modules', 'cdk8s-plus-28', '.jsii');
  const { types } = JSON.parse(await readFile(path, 'utf8')) as Jsii;
  const definitions: Definitions = { ...WRAPPERS };
  for (const [fqn, type] of Object.entries(types)) {
    if (!fqn.startsWith(PREFIX) || type.kind !== 'interface') continue;
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    for (const property of type.properties ?? []) {
      const name = property.docs?.custom?.schema?.split('#')[1];
      if (name === undefined) throw new Error(`${fqn} has a property without its API name`);
      properties[name] = schemaOf(property.type);
      if (property.optional !== true) required.push(name);
    }
    const sorted = Object.fromEntries(
      Object.keys(properties)
        .sort()
        .map((name) => [name, properties[name] as Schema]),
    );
    definitions[definitionName(fqn)] = closed(sorted, required.sort());
  }
  return definitions;
}

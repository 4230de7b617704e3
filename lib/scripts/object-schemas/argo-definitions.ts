import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createGenerator } from 'ts-json-schema-generator';
import { closed, type Definitions, ref, type Schema } from './schema.ts';

/** `status` and `operation` are the controller's: a rendered object has none, so they are unknown here. */
function specOf(root: string, kind: string): Schema {
  const types = join(root, 'node_modules', '@kubernetes-models', 'argo-cd', 'argoproj.io', 'v1alpha1');
  const schema = createGenerator({
    path: join(types, `${kind}.d.ts`),
    type: `I${kind}`,
    additionalProperties: false,
    skipTypeCheck: true,
    expose: 'none',
    jsDoc: 'none',
    topRef: false,
    sortProps: true,
  }).createSchema(`I${kind}`);
  const spec = (schema.properties as Record<string, Schema> | undefined)?.['spec'];
  if (spec === undefined) throw new Error(`${kind} has no spec in its types`);
  return spec;
}

const body = (spec: string): Schema => closed({ metadata: ref('ObjectMeta'), spec: ref(spec) }, ['spec']);

/** Closed definitions of Argo CD's Application and AppProject; `ObjectMeta` is the one of Kubernetes. */
export function argoDefinitions(root: string): Definitions {
  const application = specOf(root, 'Application');
  const properties = application['properties'] as Record<string, Schema>;
  const source = properties['source'] as Schema;
  if (!isDeepStrictEqual((properties['sources'] as Schema)['items'], source)) {
    throw new Error('the items of Application spec.sources are no longer what spec.source is');
  }
  properties['source'] = ref('ApplicationSource');
  properties['sources'] = { type: 'array', items: ref('ApplicationSource') };
  return {
    Application: body('ApplicationSpec'),
    ApplicationSpec: application,
    ApplicationSource: source,
    AppProject: body('AppProjectSpec'),
    AppProjectSpec: specOf(root, 'AppProject'),
  };
}

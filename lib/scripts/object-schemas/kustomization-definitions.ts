import { closed, type Definitions, FLAG, list, oneOfWords, ref, type Schema, TEXT } from './schema.ts';

const PATHS = list(ref('NonEmpty'), { uniqueItems: true });
const PAIRS: Schema = { type: 'object', propertyNames: ref('LabelKey'), additionalProperties: ref('LabelValue') };
const ANNOTATIONS: Schema = { type: 'object', propertyNames: ref('LabelKey'), additionalProperties: TEXT };

/** Kustomization, written by hand: what a rendered directory uses. Generators of Secrets are left out on purpose. */
export const KUSTOMIZATION: Definitions = {
  Kustomization: closed({
    metadata: ref('ObjectMeta'),
    resources: PATHS,
    components: PATHS,
    namespace: ref('DnsLabel'),
    namePrefix: TEXT,
    nameSuffix: TEXT,
    commonAnnotations: ANNOTATIONS,
    labels: list(closed({ pairs: PAIRS, includeSelectors: FLAG, includeTemplates: FLAG }, ['pairs'])),
    images: list(
      closed({ name: ref('NonEmpty'), newName: ref('NonEmpty'), newTag: ref('NonEmpty'), digest: ref('NonEmpty') }, [
        'name',
      ]),
    ),
    replicas: list(closed({ name: ref('DnsSubdomain'), count: { type: 'integer', minimum: 0 } }, ['name', 'count'])),
    patches: list(ref('KustomizationPatch')),
    configMapGenerator: list(
      closed(
        {
          name: ref('DnsSubdomain'),
          namespace: ref('DnsLabel'),
          behavior: oneOfWords('create', 'merge', 'replace'),
          files: list(ref('NonEmpty')),
          literals: list(ref('NonEmpty')),
          envs: list(ref('NonEmpty')),
          options: ref('KustomizationGeneratorOptions'),
        },
        ['name'],
      ),
    ),
    generatorOptions: ref('KustomizationGeneratorOptions'),
    buildMetadata: list(oneOfWords('managedByLabel', 'originAnnotations', 'transformerAnnotations')),
    sortOptions: closed({ order: oneOfWords('legacy', 'fifo') }),
  }),
  KustomizationPatch: closed({
    path: ref('NonEmpty'),
    patch: ref('NonEmpty'),
    target: closed({
      group: TEXT,
      version: TEXT,
      kind: TEXT,
      name: TEXT,
      namespace: TEXT,
      labelSelector: TEXT,
      annotationSelector: TEXT,
    }),
    options: closed({ allowNameChange: FLAG, allowKindChange: FLAG }),
  }),
  KustomizationGeneratorOptions: closed({
    annotations: ANNOTATIONS,
    labels: PAIRS,
    disableNameSuffixHash: FLAG,
    immutable: FLAG,
  }),
};

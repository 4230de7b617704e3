import { closed, type Definitions, FLAG, list, map, oneOfWords, ref, type Schema, TEXT } from './schema.ts';

const WORDS = list(TEXT);
/** Params, results and workspaces are named so that `$(params.NAME)` can be written. */
const NAME: Schema = ref('TektonName');
const VALUE: Schema = ref('TektonValue');
const COUNT: Schema = { type: 'integer', minimum: 0 };

const stepTemplate: Record<string, Schema> = {
  image: ref('ImageName'),
  imagePullPolicy: oneOfWords('Always', 'IfNotPresent', 'Never'),
  command: WORDS,
  args: WORDS,
  workingDir: ref('NonEmpty'),
  env: list(ref('EnvVar')),
  envFrom: list(ref('EnvFromSource')),
  computeResources: ref('ResourceRequirements'),
  securityContext: ref('SecurityContext'),
  volumeMounts: list(ref('VolumeMount')),
};

/**
 * Tekton's Pipeline (v1), written by hand: what a serious Pipeline with embedded tasks uses. The upstream definition
 * leaves `taskSpec` open, so a wrong field of a step passes there; here every object is closed.
 */
export const TEKTON: Definitions = {
  TektonName: {
    type: 'string',
    pattern: '^[A-Za-z_][A-Za-z0-9_-]*$',
    maxLength: 63,
    'x-expected': 'a name of letters, digits, "_" and "-", beginning with a letter or "_", at most 63',
  },
  TektonValue: {
    type: ['string', 'array', 'object'],
    items: TEXT,
    additionalProperties: TEXT,
    'x-expected': 'a text, a list of texts, or a map of texts',
  },
  Pipeline: closed({ metadata: ref('ObjectMeta'), spec: ref('PipelineSpec') }, ['spec']),
  PipelineSpec: closed(
    {
      displayName: TEXT,
      description: TEXT,
      params: list(ref('TektonParam')),
      workspaces: list(closed({ name: NAME, description: TEXT, optional: FLAG }, ['name'])),
      tasks: list(ref('PipelineTask'), { minItems: 1 }),
      finally: list(ref('PipelineTask')),
      results: list(
        closed({ name: NAME, type: ref('TektonType'), description: TEXT, value: VALUE }, ['name', 'value']),
      ),
    },
    ['tasks'],
  ),
  TektonType: oneOfWords('string', 'array', 'object'),
  TektonParam: closed(
    {
      name: NAME,
      type: ref('TektonType'),
      description: TEXT,
      default: VALUE,
      enum: list(TEXT, { minItems: 1, uniqueItems: true }),
      properties: map(closed({ type: oneOfWords('string') })),
    },
    ['name'],
  ),
  PipelineTask: closed(
    {
      name: ref('DnsLabel'),
      displayName: TEXT,
      description: TEXT,
      taskSpec: ref('TaskSpec'),
      params: list(closed({ name: NAME, value: VALUE }, ['name', 'value'])),
      workspaces: list(closed({ name: NAME, workspace: NAME, subPath: TEXT }, ['name'])),
      runAfter: list(ref('DnsLabel'), { uniqueItems: true }),
      when: list(
        closed({ input: TEXT, operator: oneOfWords('in', 'notin'), values: list(TEXT, { minItems: 1 }) }, [
          'input',
          'operator',
          'values',
        ]),
      ),
      timeout: ref('Duration'),
      retries: COUNT,
      onError: oneOfWords('continue', 'stopAndFail'),
    },
    ['name', 'taskSpec'],
  ),
  TaskSpec: closed(
    {
      displayName: TEXT,
      description: TEXT,
      metadata: closed({
        labels: { type: 'object', propertyNames: ref('LabelKey'), additionalProperties: ref('LabelValue') },
        annotations: { type: 'object', propertyNames: ref('LabelKey'), additionalProperties: TEXT },
      }),
      params: list(ref('TektonParam')),
      workspaces: list(
        closed({ name: NAME, description: TEXT, mountPath: ref('AbsolutePath'), readOnly: FLAG, optional: FLAG }, [
          'name',
        ]),
      ),
      results: list(closed({ name: NAME, type: ref('TektonType'), description: TEXT }, ['name'])),
      steps: list(ref('Step'), { minItems: 1 }),
      stepTemplate: closed(stepTemplate),
      volumes: list(ref('Volume')),
    },
    ['steps'],
  ),
  Step: {
    ...closed(
      {
        name: ref('DnsLabel'),
        ...stepTemplate,
        script: ref('NonEmpty'),
        timeout: ref('Duration'),
        onError: oneOfWords('continue', 'stopAndFail'),
      },
      ['name', 'image'],
    ),
    allOf: [{ not: { required: ['script', 'command'] }, 'x-expected': 'either "script" or "command", not both' }],
  },
};

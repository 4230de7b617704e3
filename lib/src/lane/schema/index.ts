import type { FromSchema } from 'json-schema-to-ts';
import { dnsLabel, dnsSubdomain, jsonPath, labelValue, relativePath, yamlFileName } from './fields.ts';
import { localPostgresSchema, managerSchema } from './manager.ts';
import { networkSchema, runnerSchema } from './runner.ts';
import { databaseSchema, runtimeSchema } from './runtime.ts';
import { ciSchema, gitMirrorSchema, gitopsSchema, sourceSchema } from './source.ts';

const deploymentSchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'format',
    'gitopsRoot',
    'runtimeRenderDir',
    'artifactCatalogPath',
    'argocd',
    'localPostgres',
    'manager',
    'runner',
  ],
  description: 'What is deployed, and where its rendered files go.',
  examples: [{ format: 'unidesk-yaml-only', gitopsRoot: 'deploy/gitops', runtimeRenderDir: 'runtime-v01' }],
  properties: {
    format: {
      type: 'string',
      const: 'unidesk-yaml-only',
      description: 'Format of the rendered files; the only one there is.',
      examples: ['unidesk-yaml-only'],
    },
    gitopsRoot: relativePath('Directory of the rendered files on the GitOps branch.', 'deploy/gitops'),
    runtimeRenderDir: relativePath('Directory below `gitopsRoot` that Argo CD syncs.', 'runtime-v01'),
    artifactCatalogPath: jsonPath(
      'Path of the artifact catalog on the GitOps branch.',
      'deploy/artifact-catalog.v01.json',
    ),
    argocd: {
      type: 'object',
      additionalProperties: false,
      required: ['project', 'applicationFile'],
      description: 'Names in Argo CD.',
      examples: [{ project: 'agentrun-v01', applicationFile: 'application-v01.yaml' }],
      properties: {
        project: dnsLabel('Name of the AppProject.', 'agentrun-v01'),
        applicationFile: yamlFileName(
          'File name of the Application below `gitopsRoot`/argocd.',
          'application-v01.yaml',
        ),
      },
    },
    localPostgres: localPostgresSchema,
    manager: managerSchema,
    runner: runnerSchema,
    network: networkSchema,
  },
} as const;

/** The risk classes of the review that a lane may sign off. */
const reviewSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'Risks of a rendered change that the lane signs off.',
  examples: [{ allow: [] }],
  properties: {
    allow: {
      type: 'array',
      default: [],
      description: 'Signed-off risks; each ends on a day.',
      examples: [
        [
          {
            risk: 'replicas-to-zero',
            object: 'Deployment/agentrun-mgr',
            reason: 'night shutdown',
            expires: '2027-01-31',
          },
        ],
      ],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['risk', 'object', 'reason', 'expires'],
        description: 'One signed-off risk.',
        examples: [
          {
            risk: 'replicas-to-zero',
            object: 'Deployment/agentrun-mgr',
            reason: 'night shutdown',
            expires: '2027-01-31',
          },
        ],
        properties: {
          risk: {
            type: 'string',
            pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$',
            'x-expected': 'a risk class in kebab-case, such as "replicas-to-zero"',
            description: 'The risk class.',
            examples: ['replicas-to-zero'],
          },
          object: {
            type: 'string',
            pattern: '^[A-Z][A-Za-z]*/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
            'x-expected': 'Kind/name, such as "Deployment/agentrun-mgr"',
            description: 'The object, as Kind/name.',
            examples: ['Deployment/agentrun-mgr'],
          },
          path: {
            type: 'string',
            pattern: '^/',
            'x-expected': 'a JSON pointer, such as "/spec/replicas"',
            description: 'JSON pointer within the object; absent for all of it.',
            examples: ['/spec/replicas'],
          },
          reason: { type: 'string', minLength: 1, description: 'Why it is right.', examples: ['night shutdown'] },
          expires: {
            type: 'string',
            pattern: '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$',
            'x-expected': 'a day as YYYY-MM-DD',
            description: 'The last day on which it holds.',
            examples: ['2027-01-31'],
          },
        },
      },
    },
  },
} as const;

/**
 * The lane file, as JSON Schema draft 2020-12: the one source of the types, the validator, `lanes/lane.schema.json`
 * and the lane reference. Objects are closed but the three free maps (`manager.env`, `selectors.matchLabels`,
 * `manager.resources`).
 */
export const laneSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'AgentRun lane',
  type: 'object',
  additionalProperties: false,
  required: ['version', 'nodeId', 'source', 'gitMirror', 'gitops', 'ci', 'runtime', 'database', 'deployment'],
  description: 'One deployment line: everything that AgentRun renders for it.',
  examples: [{ version: 'v0.1' }],
  properties: {
    version: {
      type: 'string',
      pattern: '^v(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)$',
      maxLength: 63,
      'x-expected': 'a lane version such as "v0.1"',
      description: 'Id of the lane; also the stem of the file name.',
      examples: ['v0.1'],
    },
    nodeId: labelValue('Node or site on which the lane runs; a label only.', 'node-a'),
    labelDomain: {
      ...dnsSubdomain('Domain of the label and annotation keys of this lane.', 'agentrun.pikastech.local'),
      default: 'agentrun.pikastech.local',
    },
    source: sourceSchema,
    gitMirror: gitMirrorSchema,
    gitops: gitopsSchema,
    ci: ciSchema,
    runtime: runtimeSchema,
    database: databaseSchema,
    deployment: deploymentSchema,
    review: reviewSchema,
  },
} as const;

/** The lane file as a person writes it: optional fields may be missing. */
export type LaneInput = FromSchema<typeof laneSchema, { keepDefaultedPropertiesOptional: true }>;

/** The lane file with every default and null filled in, before the union on `localPostgres.enabled` is drawn. */
export type FilledLane = FromSchema<typeof laneSchema>;

import { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Lane } from '../lane/lane.ts';
import { objectLabels } from './labels.ts';
import type { TemplateSet } from './template-set.ts';

interface PipelineParam {
  readonly name: string;
  readonly type: 'string';
  readonly description?: string;
  readonly default?: string;
}

interface PipelineStep {
  readonly name: string;
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly computeResources: {
    readonly requests: Readonly<Record<string, string>>;
    readonly limits: Readonly<Record<string, string>>;
  };
  readonly securityContext: {
    readonly allowPrivilegeEscalation: false;
    readonly runAsNonRoot: true;
    readonly runAsUser: number;
    readonly capabilities: { readonly drop: readonly ['ALL'] };
    readonly seccompProfile: { readonly type: 'RuntimeDefault' };
  };
  readonly script: string;
}

interface PipelineSpec {
  readonly params: readonly PipelineParam[];
  readonly workspaces: readonly { readonly name: string; readonly optional?: true }[];
  readonly tasks: readonly {
    readonly name: string;
    readonly timeout: string;
    readonly params: readonly { readonly name: string; readonly value: string }[];
    readonly workspaces: readonly { readonly name: string; readonly workspace: string }[];
    readonly taskSpec: {
      readonly params: readonly { readonly name: string }[];
      readonly workspaces: readonly { readonly name: string }[];
      readonly steps: readonly PipelineStep[];
    };
  }[];
}

const TOOLS_USER = 10001;

/** The params that the step of the check task needs; they reach its script as environment, never as text. */
const CHECK_PARAMS = ['revision', 'tools-image', 'git-read-url'] as const;

/** The Pipeline that checks a revision of the lane: clone, validate, render twice, compare. */
export function pipeline(scope: Construct, lane: Lane, templates: TemplateSet): void {
  const withDefault = (name: string, value: string): PipelineParam => ({ name, type: 'string', default: value });
  const spec: PipelineSpec = {
    params: [
      withDefault('git-url', lane.source.remote),
      withDefault('git-read-url', lane.gitMirror.readUrl),
      withDefault('git-write-url', lane.gitMirror.writeUrl),
      withDefault('source-branch', lane.source.branch),
      withDefault('gitops-branch', lane.gitops.branch),
      { name: 'revision', type: 'string' },
      withDefault('registry-prefix', lane.ci.registryPrefix),
      withDefault('tools-image', lane.ci.toolsImage),
    ],
    workspaces: [{ name: 'source' }, { name: 'git-ssh', optional: true }],
    tasks: [
      {
        name: 'render-smoke',
        timeout: '15m0s',
        params: CHECK_PARAMS.map((name) => ({ name, value: `$(params.${name})` })),
        workspaces: [{ name: 'source', workspace: 'source' }],
        taskSpec: {
          params: CHECK_PARAMS.map((name) => ({ name })),
          workspaces: [{ name: 'source' }],
          steps: [
            {
              name: 'render-smoke',
              image: '$(params.tools-image)',
              env: [
                { name: 'GIT_READ_URL', value: '$(params.git-read-url)' },
                { name: 'REVISION', value: '$(params.revision)' },
                { name: 'LANE', value: lane.version },
                { name: 'WORKSPACE', value: '$(workspaces.source.path)' },
                { name: 'HOME', value: '/tekton/home' },
              ],
              computeResources: {
                requests: { cpu: '200m', memory: '256Mi' },
                limits: { cpu: '2', memory: '1Gi' },
              },
              securityContext: {
                allowPrivilegeEscalation: false,
                runAsNonRoot: true,
                runAsUser: TOOLS_USER,
                capabilities: { drop: ['ALL'] },
                seccompProfile: { type: 'RuntimeDefault' },
              },
              script: templates['tekton/render-smoke.sh'],
            },
          ],
        },
      },
    ],
  };
  new ApiObject(scope, 'pipeline', {
    apiVersion: 'tekton.dev/v1',
    kind: 'Pipeline',
    metadata: {
      name: lane.ci.pipeline,
      namespace: lane.ci.namespace,
      labels: objectLabels(lane, 'ci', lane.ci.pipeline),
    },
    spec,
  });
}

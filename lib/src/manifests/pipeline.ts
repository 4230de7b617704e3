import { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Lane } from '../lane/lane.ts';
import { objectLabels } from './labels.ts';
import type { PipelineParam, PipelineTask } from './pipeline-task.ts';
import { checkTask } from './pipeline-task-check.ts';
import { publishTask } from './pipeline-task-publish.ts';
import type { TemplateSet } from './template-set.ts';

interface PipelineSpec {
  readonly params: readonly PipelineParam[];
  readonly workspaces: readonly { readonly name: string; readonly optional?: true }[];
  readonly results: readonly { readonly name: string; readonly description: string; readonly value: string }[];
  readonly tasks: readonly PipelineTask[];
}

/** The Pipeline that checks a revision of the lane, and publishes it. */
export function pipeline(scope: Construct, lane: Lane, templates: TemplateSet): void {
  const withDefault = (name: string, value: string): PipelineParam => ({ name, type: 'string', default: value });
  const described = (name: string, description: string): PipelineParam => ({ ...withDefault(name, ''), description });
  const check = checkTask(lane, templates);
  const publish = publishTask(lane, templates, check.name);
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
      described('image-digest', "Digest of the manager's image; empty: the one that the GitOps branch names."),
      described('env-identity', 'Identity of the environment of that image; goes with image-digest.'),
    ],
    workspaces: [{ name: 'source' }, { name: 'git-ssh', optional: true }],
    results: [
      {
        name: 'commit',
        description: 'The newest commit of the GitOps branch.',
        value: `$(tasks.${publish.name}.results.commit)`,
      },
    ],
    tasks: [check, publish],
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

import type { Lane } from '../lane/lane.ts';
import { LOOKING_PARAMS, lookingSteps, toolsStep } from './pipeline-step.ts';
import { type PipelineTask, pipelineTask } from './pipeline-task.ts';
import type { TemplateSet } from './template-set.ts';

/**
 * The task that brings a revision of the lane to its GitOps branch. A branch may have moved since the first task, so
 * this one looks at what it publishes itself. Its result `commit` is the newest commit of the GitOps branch.
 */
export const publishTask = (lane: Lane, templates: TemplateSet, after: string): PipelineTask =>
  pipelineTask({
    name: 'publish',
    runAfter: [after],
    params: [
      ...LOOKING_PARAMS,
      'git-url',
      'git-write-url',
      'source-branch',
      'gitops-branch',
      'image-digest',
      'env-identity',
    ],
    workspaces: [{ name: 'source' }, { name: 'git-ssh', optional: true, readOnly: true }],
    results: [{ name: 'commit', description: 'The newest commit of the GitOps branch.' }],
    steps: [
      ...lookingSteps(lane, templates, 'prove', { SOURCE_BRANCH: '$(params.source-branch)' }),
      toolsStep(
        {
          name: 'publish',
          env: {
            GIT_URL: '$(params.git-url)',
            GIT_WRITE_URL: '$(params.git-write-url)',
            GITOPS_BRANCH: '$(params.gitops-branch)',
            IMAGE_DIGEST: '$(params.image-digest)',
            ENV_IDENTITY: '$(params.env-identity)',
            SSH_WORKSPACE: '$(workspaces.git-ssh.path)',
            RESULT_COMMIT: '$(results.commit.path)',
          },
          script: templates['tekton/publish.sh'],
        },
        lane,
      ),
    ],
  });

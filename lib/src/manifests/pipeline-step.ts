import type { Lane } from '../lane/lane.ts';
import type { PipelineStep } from './pipeline-task.ts';
import type { TemplateSet } from './template-set.ts';

const TOOLS_USER = 10001;

/** Script and settings of a step; the settings reach the script as environment, never as text. */
interface StepOptions {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly script: string;
}

/**
 * A step in the image of the tools. Tekton gives `/tekton/home` to all steps of a task, and puts the credentials of the
 * account there; the steps of a pod are scheduled by the sum of what they request.
 */
export const toolsStep = ({ name, env, script }: StepOptions, lane: Lane): PipelineStep => ({
  name,
  image: '$(params.tools-image)',
  env: Object.entries({
    ...env,
    LANE: lane.version,
    WORKSPACE: '$(workspaces.source.path)',
    HOME: '/tekton/home',
    STEP: name,
  }).map(([key, value]) => ({ name: key, value })),
  computeResources: {
    requests: { cpu: '100m', memory: '256Mi' },
    limits: { cpu: '2', memory: '1Gi' },
  },
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    runAsUser: TOOLS_USER,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
  script,
});

/** Params that {@link lookingSteps} need. */
export const LOOKING_PARAMS = ['revision', 'tools-image', 'git-read-url'] as const;

/**
 * The steps that look at a revision and change nothing: clone, check, prove.
 *
 * @param more settings of the clone beside those that every clone has
 * @param last name of the step that proves
 */
export const lookingSteps = (
  lane: Lane,
  templates: TemplateSet,
  last: string,
  more: Readonly<Record<string, string>> = {},
): PipelineStep[] => {
  const revision = { GIT_READ_URL: '$(params.git-read-url)', REVISION: '$(params.revision)' };
  return [
    toolsStep({ name: 'clone', env: { ...revision, ...more }, script: templates['tekton/clone.sh'] }, lane),
    toolsStep({ name: 'check', env: {}, script: templates['tekton/check.sh'] }, lane),
    toolsStep({ name: last, env: {}, script: templates['tekton/prove.sh'] }, lane),
  ];
};

import type { Lane } from '../lane/lane.ts';
import { LOOKING_PARAMS, lookingSteps } from './pipeline-step.ts';
import { type PipelineTask, pipelineTask } from './pipeline-task.ts';
import type { TemplateSet } from './template-set.ts';

/** The task that checks a revision of the lane: clone, validate, render, prove. Nothing leaves its workspace. */
export const checkTask = (lane: Lane, templates: TemplateSet): PipelineTask =>
  pipelineTask({
    name: 'render-smoke',
    params: LOOKING_PARAMS,
    workspaces: [{ name: 'source' }],
    steps: lookingSteps(lane, templates, 'render-smoke'),
  });

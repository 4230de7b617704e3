import type { Lane } from '../lane/lane.ts';
import { application, appProject } from './argo.ts';
import { ciAccess } from './ci-access.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { ciNamespace } from './namespaces.ts';
import { pipeline } from './pipeline.ts';
import { synthesize } from './synthesize.ts';
import { builtInTemplates, type TemplateSet } from './template-set.ts';

/**
 * What an operator applies once for a lane, in this order: the Pipeline's namespace, account, Role and RoleBinding,
 * the Pipeline, the AppProject, the Application. It depends on the lane alone.
 */
export function controlPlaneObjects(lane: Lane, templates: TemplateSet = builtInTemplates): KubernetesObject[] {
  return synthesize((scope) => {
    ciNamespace(scope, lane);
    ciAccess(scope, lane);
    pipeline(scope, lane, templates);
    appProject(scope, lane);
    application(scope, lane);
  });
}

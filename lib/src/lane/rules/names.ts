import type { Lane } from '../lane.ts';
import type { Rule, RuleFinding } from './rule.ts';

interface Named {
  readonly path: string;
  readonly of: (lane: Lane) => string;
}

/** Two fields that name different things in one place. */
function differ(left: Named, right: Named, why: string): Rule {
  return {
    reads: [left.path, right.path],
    check(lane) {
      if (left.of(lane) !== right.of(lane)) return [];
      return [
        {
          message: `${left.path} must differ from ${right.path}, ${why}; found "${left.of(lane)}" for both`,
          paths: [left.path, right.path],
        },
      ];
    },
  };
}

const manager: Named = {
  path: 'deployment.manager.serviceAccount',
  of: (lane) => lane.deployment.manager.serviceAccount,
};
const runner: Named = { path: 'deployment.runner.serviceAccount', of: (lane) => lane.deployment.runner.serviceAccount };
const ci: Named = { path: 'ci.serviceAccountName', of: (lane) => lane.ci.serviceAccountName };
const ciNamespace: Named = { path: 'ci.namespace', of: (lane) => lane.ci.namespace };
const runtimeNamespace: Named = { path: 'runtime.namespace', of: (lane) => lane.runtime.namespace };
const argoNamespace: Named = { path: 'gitops.argoNamespace', of: (lane) => lane.gitops.argoNamespace };

/** The Services and pods of the lane's own PostgreSQL are not those of the manager. */
const postgresIsNotTheManager: Rule = {
  reads: [
    'deployment.localPostgres.enabled',
    'deployment.localPostgres.serviceName',
    'runtime.managerService',
    'runtime.managerDeployment',
  ],
  check({ deployment: { localPostgres }, runtime }) {
    if (!localPostgres.enabled) return [];
    const { serviceName } = localPostgres;
    const path = 'deployment.localPostgres.serviceName';
    const findings: RuleFinding[] = [];
    if (serviceName === runtime.managerService) {
      findings.push({
        message: `${path} must differ from runtime.managerService, because both name a Service of the runtime namespace; found "${serviceName}" for both`,
        paths: [path, 'runtime.managerService'],
      });
    }
    if (`${serviceName}-headless` === runtime.managerService) {
      findings.push({
        message: `${path} must be another name than "${serviceName}", because "${serviceName}-headless" names a second Service and runtime.managerService has this name`,
        paths: [path, 'runtime.managerService'],
      });
    }
    if (serviceName === runtime.managerDeployment) {
      findings.push({
        message: `${path} must differ from runtime.managerDeployment, because both are the value of the label that selects pods; found "${serviceName}" for both`,
        paths: [path, 'runtime.managerDeployment'],
      });
    }
    return findings;
  },
};

export const nameRules: readonly Rule[] = [
  differ(runner, manager, 'because each account has rights of its own'),
  differ(ci, manager, 'because each account has rights of its own'),
  differ(ci, runner, 'because each account has rights of its own'),
  differ(runtimeNamespace, ciNamespace, 'because their pods are held to different security levels'),
  differ(runtimeNamespace, argoNamespace, 'because a lane has its namespace for itself'),
  postgresIsNotTheManager,
];

import { environmentNameRules } from '../../src/lane/rules/environment-names.ts';
import { environmentValueRules } from '../../src/lane/rules/environment-values.ts';
import { gitopsRules } from '../../src/lane/rules/gitops.ts';
import { LANE_RULES } from '../../src/lane/rules/index.ts';
import { localPostgresRules } from '../../src/lane/rules/local-postgres.ts';
import { managerAddressRules } from '../../src/lane/rules/manager-address.ts';
import { nameRules } from '../../src/lane/rules/names.ts';
import { networkRules } from '../../src/lane/rules/network.ts';
import { renderedPathRules } from '../../src/lane/rules/rendered-paths.ts';
import { resourceRules } from '../../src/lane/rules/resources.ts';
import { reviewRules } from '../../src/lane/rules/review.ts';
import type { Rule } from '../../src/lane/rules/rule.ts';
import { selectorRules } from '../../src/lane/rules/selectors.ts';
import { timingRules } from '../../src/lane/rules/timing.ts';

/** A rule between fields, in words. */
export interface RuleInWords {
  readonly words: string;
  /** The fields that it reads. */
  readonly fields: readonly string[];
}

/** The words of each rule, in the order in which its file lists the rules. */
const WORDS: readonly (readonly [readonly Rule[], readonly string[]])[] = [
  [
    gitopsRules,
    [
      '`gitops.path` is `deployment.gitopsRoot` + "/" + `deployment.runtimeRenderDir`: Argo CD reads what is rendered.',
      'The GitOps branch is not the source branch, where both lie in one repository: a rendered commit would start the next render.',
    ],
  ],
  [
    managerAddressRules,
    [
      '`internalBaseUrl` names scheme, host and port alone. The host is `<managerService>.<namespace>.svc`, with or without `.cluster.local`, and the port is `managerPort`.',
    ],
  ],
  [
    localPostgresRules,
    [
      'With local PostgreSQL, the port is 5432, on which the image listens.',
      'With local PostgreSQL, the tag of the image begins with its major version, 14 or newer: it decides the layout of the data volume.',
    ],
  ],
  [
    nameRules,
    [
      "The runner's account is not the manager's: each has rights of its own.",
      "The Pipeline's account is not the manager's.",
      "The Pipeline's account is not the runner's.",
      'The runtime namespace is not that of the Pipeline: their pods are held to different security levels.',
      'The runtime namespace is not that of Argo CD: a lane has its namespace for itself.',
      'With local PostgreSQL, neither its Service nor `<serviceName>-headless` is the Service of the manager, and its name is not that of the Deployment.',
    ],
  ],
  [
    timingRules,
    [
      'The kill comes after the graceful abort: `killEscalationMs` > `gracefulAbortMs`.',
      'The fence comes after the kill: `staleHeartbeatFencingMs` > `killEscalationMs`.',
      'A Job is cleaned up only after its runner was fenced off: `activeHeartbeatMaxAgeMs` >= `staleHeartbeatFencingMs`.',
      'The longest wait is not shorter than the first: `maxBackoffMs` >= `initialBackoffMs`.',
    ],
  ],
  [
    selectorRules,
    [
      'The labels are exactly those that the manager stamps on runner Jobs: `<labelDomain>/lane: <version>`, `app.kubernetes.io/component: runner`, `app.kubernetes.io/part-of: agentrun`.',
      'The prefixes contain `jobNamePrefix`.',
    ],
  ],
  [
    resourceRules,
    [
      'No request is greater than its limit.',
      'Beside `requests` and `limits` only `claims` may stand: an unknown field would vanish in the rendered container.',
    ],
  ],
  [
    renderedPathRules,
    [
      'No two rendered files have one path, also when upper and lower case are taken for the same, and none lies below another.',
      'No path leads into `.git`; none begins with `.agentrun` or `hydrator.metadata`, which hold the records of what was published.',
      'The runtime directory is not `argocd`, nor below it: there stand the Application and the AppProject.',
    ],
  ],
  [networkRules, ['Networks are exact (zeros after the prefix), and each of `except` lies inside its `cidr`.']],
  [
    environmentNameRules,
    [
      'A variable that the render writes from other fields (see [the environment](#the-environment-of-the-manager)) is not given again.',
      'A [setting](#settings) has a value that the manager takes. An `AGENTRUN_` name that is no setting is a warning.',
    ],
  ],
  [
    environmentValueRules,
    [
      'No value of `env` contains `$(`: Kubernetes would put another variable in its place.',
      'Nor does the value of the ssh endpoint.',
      'A variable is given once: in `env`, in `secretEnv`, or as the ssh endpoint.',
    ],
  ],
  [reviewRules, ['No two entries sign off the same risk, object and path.', '`expires` is a day of the calendar.']],
];

/** Every rule about one lane; refuses a rule without words, and words without a rule. */
export function rulesInWords(): RuleInWords[] {
  const described = WORDS.flatMap(([rules, words]) => {
    if (rules.length !== words.length) {
      throw new Error(`${words.length} sentences for ${rules.length} rules: ${words[0] ?? ''}`);
    }
    return rules.map((rule, at) => ({ rule, words: words[at] ?? '' }));
  });
  const missing = LANE_RULES.filter((rule) => !described.some((one) => one.rule === rule));
  if (missing.length > 0 || described.length !== LANE_RULES.length) {
    throw new Error(`rules without words: ${missing.map(({ reads }) => reads.join(', ')).join('; ')}`);
  }
  return described.map(({ rule, words }) => ({ words, fields: rule.reads }));
}

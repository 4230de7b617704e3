import { formatLanePath } from '../lane-path.ts';
import { runnerJobLabels } from '../runner-job-labels.ts';
import type { Rule, RuleFinding } from './rule.ts';

const SELECTORS = ['deployment', 'runner', 'retention', 'selectors'];
const MATCH_LABELS = [...SELECTORS, 'matchLabels'];

/** Retention finds Jobs by these labels: fewer would find those of others, more or other ones none. */
const labelsAreThoseOfTheJobs: Rule = {
  reads: [formatLanePath(MATCH_LABELS), 'version', 'labelDomain'],
  check(lane) {
    const given: Readonly<Record<string, string>> = lane.deployment.runner.retention.selectors.matchLabels;
    const stamped = runnerJobLabels(lane);
    const findings: RuleFinding[] = [];
    for (const [key, value] of Object.entries(stamped)) {
      const path = formatLanePath([...MATCH_LABELS, key]);
      if (!Object.hasOwn(given, key)) {
        findings.push({
          message: `${formatLanePath(MATCH_LABELS)} must contain "${key}: ${value}", which the manager stamps on each runner Job`,
          hint: `add: ${key}: ${value}`,
          paths: [formatLanePath(MATCH_LABELS)],
          at: 'key',
        });
      } else if (given[key] !== value) {
        findings.push({
          message: `${path} must be "${value}", which the manager stamps on each runner Job, found "${given[key]}"`,
          paths: key.endsWith('/lane') ? [path, 'version'] : [path],
        });
      }
    }
    for (const key of Object.keys(given)) {
      if (Object.hasOwn(stamped, key)) continue;
      findings.push({
        message: `${formatLanePath(MATCH_LABELS)} must not contain "${key}", because runner Jobs do not carry this label; they carry ${Object.keys(stamped).join(', ')}`,
        hint: 'Remove the label; without it retention finds no Job.',
        paths: [formatLanePath([...MATCH_LABELS, key])],
        at: 'key',
      });
    }
    return findings;
  },
};

const prefixesContainThatOfTheJobs: Rule = {
  reads: ['deployment.runner.retention.selectors.jobNamePrefixes', 'deployment.runner.jobNamePrefix'],
  check({ deployment: { runner } }) {
    if (runner.retention.selectors.jobNamePrefixes.includes(runner.jobNamePrefix)) return [];
    return [
      {
        message: `deployment.runner.retention.selectors.jobNamePrefixes must contain "${runner.jobNamePrefix}", which is deployment.runner.jobNamePrefix`,
        hint: `add: - ${runner.jobNamePrefix}`,
        paths: ['deployment.runner.retention.selectors.jobNamePrefixes', 'deployment.runner.jobNamePrefix'],
        at: 'key',
      },
    ];
  },
};

export const selectorRules: readonly Rule[] = [labelsAreThoseOfTheJobs, prefixesContainThatOfTheJobs];

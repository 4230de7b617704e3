import { formatLanePath } from '../lane-path.ts';
import type { Rule, RuleFinding } from './rule.ts';

const MANAGER = ['deployment', 'manager'];
const SSH = 'deployment.manager.unideskSshEndpointEnv';

function noExpansion(path: string, value: string): RuleFinding[] {
  if (!value.includes('$(')) return [];
  return [
    {
      code: 'lane-environment',
      message: `${path} must not contain "$(", because Kubernetes would put another variable in its place`,
      hint: 'Write the value itself.',
      paths: [path],
    },
  ];
}

const valuesAreLiteral: Rule = {
  reads: ['deployment.manager.env'],
  check({ deployment }) {
    const { env } = deployment.manager;
    return Object.entries(env).flatMap(([name, value]) =>
      noExpansion(formatLanePath([...MANAGER, 'env', name]), value),
    );
  },
};

const sshEndpointIsLiteral: Rule = {
  reads: [`${SSH}.value`],
  check({ deployment }) {
    const endpoint = deployment.manager.unideskSshEndpointEnv;
    return endpoint === null ? [] : noExpansion(`${SSH}.value`, endpoint.value);
  },
};

/** A variable is given once: in `env`, in `secretEnv`, or as the ssh endpoint. */
const namesAreGivenOnce: Rule = {
  reads: ['deployment.manager.env', 'deployment.manager.secretEnv', `${SSH}.name`],
  check({ deployment }) {
    const { env, secretEnv, unideskSshEndpointEnv: endpoint } = deployment.manager;
    const findings: RuleFinding[] = [];
    const repeats = (path: string, name: string, other: string, at: { at?: 'key' }) =>
      findings.push({
        code: 'lane-environment',
        message: `${path} repeats the variable ${name} of ${other}`,
        hint: 'Keep one of the two.',
        paths: [path, other],
        ...at,
      });
    const endpointName = endpoint?.name;
    if (endpointName !== undefined && Object.hasOwn(env, endpointName)) {
      repeats(`${SSH}.name`, endpointName, formatLanePath([...MANAGER, 'env', endpointName]), {});
    }
    for (const name of Object.keys(secretEnv)) {
      const path = formatLanePath([...MANAGER, 'secretEnv', name]);
      if (Object.hasOwn(env, name)) repeats(path, name, formatLanePath([...MANAGER, 'env', name]), { at: 'key' });
      if (name === endpointName) repeats(path, name, `${SSH}.name`, { at: 'key' });
    }
    return findings;
  },
};

export const environmentValueRules: readonly Rule[] = [valuesAreLiteral, sshEndpointIsLiteral, namesAreGivenOnce];

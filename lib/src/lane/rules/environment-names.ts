import { managerSettings, reservedNames, ValueError } from '../../environment/index.ts';
import { closest } from '../did-you-mean.ts';
import { formatLanePath } from '../lane-path.ts';
import type { Rule, RuleFinding } from './rule.ts';

const MANAGER = ['deployment', 'manager'];
const SSH = 'deployment.manager.unideskSshEndpointEnv.name';

function notReserved(path: string, name: string, at: { at?: 'key' }): RuleFinding[] {
  if (!reservedNames.has(name)) return [];
  return [
    {
      code: 'lane-environment',
      message: `${path} sets ${name}, which is written from other fields of the lane`,
      hint: 'Remove it, and set the field that it comes from.',
      paths: [path],
      ...at,
    },
  ];
}

/** Variables that the render writes itself must not be given again: the later would silently win. */
const namesAreFree: Rule = {
  reads: ['deployment.manager.env', 'deployment.manager.secretEnv', SSH],
  check({ deployment }) {
    const { env, secretEnv, unideskSshEndpointEnv } = deployment.manager;
    const ofMap = (map: 'env' | 'secretEnv', names: readonly string[]) =>
      names.flatMap((name) => notReserved(formatLanePath([...MANAGER, map, name]), name, { at: 'key' }));
    return [
      ...ofMap('env', Object.keys(env)),
      ...ofMap('secretEnv', Object.keys(secretEnv)),
      ...(unideskSshEndpointEnv === null ? [] : notReserved(SSH, unideskSshEndpointEnv.name, {})),
    ];
  },
};

/** What the manager would refuse at its start is refused here. */
const settingsAreValid: Rule = {
  reads: ['deployment.manager.env'],
  check({ deployment }) {
    return Object.entries(deployment.manager.env).flatMap(([name, value]): RuleFinding[] => {
      const path = formatLanePath([...MANAGER, 'env', name]);
      const setting = managerSettings.find((candidate) => candidate.name === name);
      if (setting !== undefined) {
        try {
          setting.parse(value);
          return [];
        } catch (error) {
          if (!(error instanceof ValueError)) throw error;
          const message = `${path} ${error.message}, found "${value}"`;
          return [{ code: 'lane-environment', message, paths: [path] }];
        }
      }
      if (!name.startsWith('AGENTRUN_') || reservedNames.has(name)) return [];
      const near = closest(
        name,
        managerSettings.map((candidate) => candidate.name),
      );
      return [
        {
          code: 'lane-unknown-setting',
          severity: 'warning',
          message: `${path} is no setting of the manager`,
          ...(near === undefined ? {} : { hint: `Did you mean ${near}?` }),
          paths: [path],
          at: 'key',
        },
      ];
    });
  },
};

export const environmentNameRules: readonly Rule[] = [namesAreFree, settingsAreValid];

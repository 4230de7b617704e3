import { AgentRunError, type Problem } from '../errors.ts';
import { ValueError } from './parsers.ts';
import { type ManagerConfig, managerRows, managerSettings, managerTailRows } from './table.ts';

/**
 * Reads the manager's configuration from environment variables.
 *
 * @param environment names to values; what the table does not know is ignored.
 * @throws AgentRunError `environment-invalid` with one problem for each variable that is missing or wrong. Values are
 *   not repeated: they may be secrets.
 */
export function readManagerConfig(environment: Readonly<Record<string, string | undefined>>): ManagerConfig {
  const config: Record<string, unknown> = {};
  const problems: Problem[] = [];
  const add = (code: Problem['code'], message: string, hint?: string) =>
    problems.push({ code, severity: 'error', message, ...(hint === undefined ? {} : { hint }) });

  const parse = (name: string, value: string, key: string, parser: (text: string) => unknown, hint?: string) => {
    try {
      config[key] = parser(value);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      add('environment-invalid', `${name} ${error.message}`, hint);
    }
  };

  for (const row of [...managerRows, ...managerTailRows]) {
    const value = environment[row.name];
    const hint = 'lane' in row.source ? `the lane field ${row.source.lane} gives it` : undefined;
    if (value !== undefined) parse(row.name, value, row.configKey, row.parse, hint);
    else if (row.condition === 'always') add('environment-missing', `${row.name} is not set`, hint);
    else config[row.configKey] = null;
  }
  for (const { name, configKey, parse: parser, fallback } of managerSettings) {
    const value = environment[name];
    if (value === undefined) config[configKey] = fallback;
    else parse(name, value, configKey, parser, `the lane field deployment.manager.env.${name} gives it`);
  }
  if (problems.length > 0) {
    throw new AgentRunError('environment-invalid', `the environment of the manager has ${problems.length} faults`, {
      problems,
    });
  }
  return config as unknown as ManagerConfig;
}

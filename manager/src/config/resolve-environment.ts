import type { Problem } from '@agentrun/lib/errors';
import { newSecret } from '../local/file-secret-store.ts';
import type { SecretStore } from '../local/secret-store.ts';
import type { RenderedVariable, SecretReference } from './rendered-environment.ts';
import { StartError } from './start-error.ts';

/** Variables with their values, and what is wrong with those that have none. */
export interface ResolvedEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/** The value of a variable that is a key of a Secret; null when there is none. */
export type SecretResolver = (variable: string, secret: SecretReference, optional: boolean) => Promise<string | null>;

/**
 * Gives each variable its value: texts as they are, secrets by the resolver.
 *
 * @param checkedLater variables that may be missing here: they are replaced, or their reader says that they are missing.
 */
export async function resolveEnvironment(
  rendered: readonly RenderedVariable[],
  resolve: SecretResolver,
  checkedLater: ReadonlySet<string>,
): Promise<ResolvedEnvironment> {
  const variables: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const variable of rendered) {
    if ('value' in variable) {
      variables[variable.name] = variable.value;
      continue;
    }
    const { namespace, name, key } = variable.secret;
    const hint = `the lane refers to the key ${key} of the Secret ${namespace}/${name}`;
    try {
      const value = await resolve(variable.name, variable.secret, variable.optional);
      if (value !== null) variables[variable.name] = value;
      else if (!variable.optional && !checkedLater.has(variable.name)) {
        problems.push({ code: 'environment-missing', severity: 'error', message: `${variable.name} is not set`, hint });
      }
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      const message = `${variable.name}: ${error.message}`;
      problems.push({ code: 'environment-invalid', severity: 'error', message, hint: error.hint });
    }
  }
  return { variables, problems };
}

/** Secrets from the environment of this process, under the variable's own name, as a Deployment would set them. */
export const fromProcess =
  (env: Readonly<Record<string, string | undefined>>): SecretResolver =>
  async (variable) =>
    env[variable] ?? null;

/** Secrets from the store; one that must be and is not there is made once. */
export const fromStore =
  (store: SecretStore): SecretResolver =>
  async (_variable, { namespace, name, key }, optional) => {
    const kept = await store.read(namespace, name, key);
    const value = kept ?? (optional ? null : await store.writeOnce(namespace, name, key, newSecret()));
    // An editor ends a file with a line break.
    return value?.replace(/\r?\n$/, '') ?? null;
  };

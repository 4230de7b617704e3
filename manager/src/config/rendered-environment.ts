import { readFile } from 'node:fs/promises';
import { AgentRunError } from '@agentrun/lib/errors';

/** A key of a Secret. */
export interface SecretReference {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

/** One variable of the manager's container: a text, or a key of a Secret. */
export type RenderedVariable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly secret: SecretReference; readonly optional: boolean };

/**
 * The environment that a rendered mgr.yaml gives to the manager's container, in order.
 *
 * @param file a YAML file of several documents, one of them the Deployment with the container `mgr`.
 * @throws AgentRunError `environment-invalid` that names the file, with a problem for each variable that has no value
 *   that could be read.
 */
export async function readRenderedEnvironment(file: string): Promise<readonly RenderedVariable[]> {
  const { namespace, env } = managerContainer(file, await documents(file));
  const variables: RenderedVariable[] = [];
  const problems: string[] = [];
  for (const entry of env) {
    const variable = readEntry(entry, namespace);
    if (typeof variable === 'string') problems.push(variable);
    else variables.push(variable);
  }
  if (problems.length > 0) {
    throw new AgentRunError('environment-invalid', `the environment in ${file} has ${problems.length} faults`, {
      problems: problems.map((message) => ({ code: 'environment-invalid', severity: 'error', message, file })),
    });
  }
  return variables;
}

async function documents(file: string): Promise<readonly unknown[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw broken(file, `cannot be read: ${reason}`, cause);
  }
  // Only a manager that is given a file pays for the parser.
  const { parseAllDocuments } = await import('yaml');
  const parsed = parseAllDocuments(text);
  return [...parsed].map((document) => {
    const [error] = document.errors;
    // The parser's message would quote the file.
    if (error !== undefined) throw broken(file, `is not YAML: line ${error.linePos?.[0].line ?? '?'}, ${error.code}`);
    try {
      return document.toJS() as unknown;
    } catch (cause) {
      throw broken(file, 'holds an alias that leads nowhere, or too many of them', cause);
    }
  });
}

function managerContainer(file: string, objects: readonly unknown[]): { namespace: string; env: readonly unknown[] } {
  const found = objects.flatMap((object) => {
    if (field(object, 'kind') !== 'Deployment') return [];
    const containers = field(object, 'spec', 'template', 'spec', 'containers');
    const container = Array.isArray(containers) ? containers.find((item) => field(item, 'name') === 'mgr') : undefined;
    const env = field(container, 'env');
    return Array.isArray(env) ? [{ namespace: field(object, 'metadata', 'namespace'), env: env as unknown[] }] : [];
  });
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw broken(file, `must hold one Deployment with a container "mgr" that has an env, and holds ${found.length}`);
  }
  if (typeof first.namespace !== 'string') throw broken(file, 'holds a Deployment without a namespace');
  return { namespace: first.namespace, env: first.env };
}

/** The variable; or what is wrong with it. */
function readEntry(entry: unknown, namespace: string): RenderedVariable | string {
  const name = field(entry, 'name');
  if (typeof name !== 'string' || name === '') return 'an entry of env has no name';
  const value = field(entry, 'value');
  if (typeof value === 'string') return { name, value };
  if (value !== undefined && value !== null) return `${name} must be a text in quotes, and is a ${typeof value}`;
  const reference = field(entry, 'valueFrom', 'secretKeyRef');
  if (reference === undefined) {
    return field(entry, 'valueFrom') === undefined
      ? { name, value: '' }
      : `${name} has a valueFrom that only a cluster can resolve; only secretKeyRef is known here`;
  }
  const [secret, key] = [field(reference, 'name'), field(reference, 'key')];
  if (typeof secret !== 'string' || typeof key !== 'string') return `${name} has a secretKeyRef without name or key`;
  return { name, secret: { namespace, name: secret, key }, optional: field(reference, 'optional') === true };
}

function field(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

const broken = (file: string, what: string, cause?: unknown) =>
  new AgentRunError('environment-invalid', `the environment file ${file} ${what}`, {
    hint: 'Give the rendered mgr.yaml of a lane: agentrun synth writes it.',
    cause,
  });

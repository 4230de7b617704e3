import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubernetesObject } from '../../lib/src/manifests/kubernetes-object.ts';
import type { PipelineTask } from '../../lib/src/manifests/pipeline-task.ts';
import { runScript, type ScriptResult } from './run-script.ts';

/** What a PipelineRun gives, and the machine that it runs on. */
export interface PipelineRunOptions {
  readonly params: Readonly<Record<string, string>>;
  /** Directories by the workspace's name. */
  readonly workspaces: Readonly<Record<string, string>>;
  /** An empty directory, in which each task gets what Tekton mounts below /tekton, and each step a /tmp. */
  readonly root: string;
  /** PATH of the image of the steps. */
  readonly path: string;
  /** User and group of the steps; only root may choose another. */
  readonly user?: number;
  /** Steps that are left out, as `task/step`: what is slow and was run before. */
  readonly without?: readonly string[];
}

interface StepRun extends ScriptResult {
  readonly task: string;
  readonly step: string;
}

export interface PipelineRunResult {
  /** The steps that ran, in order; the last one is the one that failed, if one did. */
  readonly steps: readonly StepRun[];
  /** Results of the Pipeline; none when a step failed. */
  readonly results: Readonly<Record<string, string>>;
}

interface Spec {
  readonly params: readonly { readonly name: string; readonly default?: string }[];
  readonly workspaces: readonly { readonly name: string; readonly optional?: boolean }[];
  readonly results?: readonly { readonly name: string; readonly value: string }[];
  readonly tasks: readonly PipelineTask[];
}

type Values = Readonly<Record<string, string>>;

/** Every field that this interpreter gives a meaning to, or knows to have none here. */
const FIELDS = {
  spec: ['params', 'workspaces', 'results', 'tasks'],
  task: ['name', 'runAfter', 'timeout', 'params', 'workspaces', 'taskSpec'],
  taskSpec: ['params', 'workspaces', 'results', 'steps'],
  step: ['name', 'image', 'env', 'computeResources', 'securityContext', 'script'],
} as const;

function refuseOthers(kind: keyof typeof FIELDS, object: object): void {
  const others = Object.keys(object).filter((field) => !(FIELDS[kind] as readonly string[]).includes(field));
  if (others.length > 0) throw new Error(`the interpreter does not know ${others.join(', ')} of a ${kind}`);
}

/** What Tekton does to a text: a reference becomes its value. One that nothing gives is an error. */
function substitute(text: string, values: Values): string {
  return text.replaceAll(/\$\(([^)]*)\)/g, (all, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing gives ${all}`);
    return value;
  });
}

/**
 * Runs a Pipeline as Tekton would: params, workspaces and results are resolved in what is handed over, and each script
 * runs as a program of its own, with the environment of its step alone. Tasks run one after the other; a task whose
 * `runAfter` is not done yet waits. A failed step ends the run.
 */
export async function runPipeline(pipeline: KubernetesObject, options: PipelineRunOptions): Promise<PipelineRunResult> {
  const spec = pipeline['spec'] as unknown as Spec;
  refuseOthers('spec', spec);
  const values = { ...givenParams(spec, options) };
  refuseWorkspaces(spec, options);
  const steps: StepRun[] = [];
  const waiting = [...spec.tasks];
  const done: string[] = [];
  while (waiting.length > 0) {
    const at = waiting.findIndex(({ runAfter = [] }) => runAfter.every((name) => done.includes(name)));
    const [task] = waiting.splice(at, at < 0 ? 0 : 1);
    if (task === undefined) throw new Error('tasks wait for ever');
    const { runs, results } = await runTask(task, values, options);
    steps.push(...runs);
    if (runs.at(-1)?.code !== 0) return { steps, results: {} };
    Object.assign(values, results);
    done.push(task.name);
  }
  const results = (spec.results ?? []).map(({ name, value }) => [name, substitute(value, values)]);
  return { steps, results: Object.fromEntries(results) as Values };
}

function givenParams({ params }: Spec, run: PipelineRunOptions): Values {
  const unknown = Object.keys(run.params).find((name) => !params.some((param) => param.name === name));
  if (unknown !== undefined) throw new Error(`the Pipeline declares no param ${unknown}`);
  return Object.fromEntries(
    params.map(({ name, default: value }) => {
      const given = run.params[name] ?? value;
      if (given === undefined) throw new Error(`the run gives no param ${name}`);
      return [`params.${name}`, given];
    }),
  );
}

function refuseWorkspaces({ workspaces }: Spec, run: PipelineRunOptions): void {
  const unknown = Object.keys(run.workspaces).find((name) => !workspaces.some((known) => known.name === name));
  if (unknown !== undefined) throw new Error(`the Pipeline declares no workspace ${unknown}`);
  const missing = workspaces.find(({ name, optional }) => optional !== true && run.workspaces[name] === undefined);
  if (missing !== undefined) throw new Error(`the run gives no workspace ${missing.name}`);
}

async function runTask(task: PipelineTask, outer: Values, options: PipelineRunOptions) {
  const { name, taskSpec } = task;
  refuseOthers('task', task);
  refuseOthers('taskSpec', taskSpec);
  const pod = join(options.root, name);
  for (const folder of ['tekton/home', 'tekton/results']) ownFolder(join(pod, folder), options);
  const values: Record<string, string> = {};
  for (const param of taskSpec.params) {
    const given = task.params.find((candidate) => candidate.name === param.name);
    if (given === undefined) throw new Error(`nothing gives the param ${param.name} of ${name}`);
    values[`params.${param.name}`] = substitute(given.value, outer);
  }
  for (const workspace of taskSpec.workspaces) {
    const from = task.workspaces.find((candidate) => candidate.name === workspace.name)?.workspace;
    const path = from === undefined ? undefined : options.workspaces[from];
    if (path === undefined && workspace.optional !== true)
      throw new Error(`${name} has no workspace ${workspace.name}`);
    values[`workspaces.${workspace.name}.path`] = path ?? '';
    values[`workspaces.${workspace.name}.bound`] = String(path !== undefined);
  }
  const declared = (taskSpec.results ?? []).map((result) => result.name);
  for (const result of declared) values[`results.${result}.path`] = `/tekton/results/${result}`;

  const runs: StepRun[] = [];
  for (const step of taskSpec.steps) {
    if (options.without?.includes(`${name}/${step.name}`) === true) continue;
    refuseOthers('step', step);
    if (substitute(step.image, values) === '') throw new Error(`${step.name} has no image`);
    const temporary = join(pod, step.name, 'tmp');
    ownFolder(temporary, options);
    const script = join(pod, step.name, 'script');
    writeFileSync(script, step.script);
    chmodSync(script, 0o755);
    const own = step.env.map((entry) => [
      entry.name,
      substitute(entry.value, values).replace(/^\/tekton\//, `${pod}/tekton/`),
    ]);
    const env = { PATH: options.path, TMPDIR: temporary, ...(Object.fromEntries(own) as Values) };
    const user = options.user === undefined ? {} : { user: options.user };
    runs.push({ task: name, step: step.name, ...(await runScript([script], { env, ...user })) });
    if (runs.at(-1)?.code !== 0) return { runs, results: {} };
  }
  const written = declared.map((result) => [
    `tasks.${name}.results.${result}`,
    readFileSync(join(pod, 'tekton/results', result), 'utf8'),
  ]);
  return { runs, results: Object.fromEntries(written) as Values };
}

function ownFolder(path: string, { user }: PipelineRunOptions): void {
  mkdirSync(path, { recursive: true });
  if (user !== undefined) chownSync(path, user, user);
}

import type { Finding } from './finding.ts';
import { dig, listOf, textOf } from './json-view.ts';
import { pipelineOrder } from './pipeline-order.ts';
import { findingAt, type PlacedObject } from './rendered-objects.ts';

const REFERENCE = /\$\((?<root>params|workspaces|tasks|context|steps|results|finally)(?<rest>[^)]*)\)/g;

/** What Tekton would refuse, or take for text: names that nothing declares, cycles, substitution inside scripts. */
export function checkPipelines(objects: readonly PlacedObject[]): Finding[] {
  return objects
    .filter(({ object }) => object.kind === 'Pipeline')
    .flatMap((placed) => [...checkPipeline(placed), ...pipelineOrder(placed)]);
}

const names = (list: unknown): string[] => listOf(list).flatMap((entry) => textOf(dig(entry, 'name')) ?? []);

function checkPipeline(placed: PlacedObject): Finding[] {
  const spec = dig(placed.object, 'spec');
  const params = names(dig(spec, 'params'));
  const workspaces = names(dig(spec, 'workspaces'));
  const findings: Finding[] = [
    ...twice(placed, '/spec/params', params),
    ...twice(placed, '/spec/workspaces', workspaces),
    ...unusedWorkspaces(placed, workspaces),
    ...twice(placed, '/spec/tasks', [...names(dig(spec, 'tasks')), ...names(dig(spec, 'finally'))]),
  ];
  for (const group of ['tasks', 'finally']) {
    listOf(dig(spec, group)).forEach((task, at) => {
      findings.push(...checkTask(placed, task, `/spec/${group}/${at}`, params, workspaces));
    });
  }
  return findings;
}

function twice(placed: PlacedObject, pointer: string, list: readonly string[]): Finding[] {
  return list.flatMap((name, at) =>
    list.indexOf(name) === at
      ? []
      : [findingAt(placed, 'output-pipeline', `${pointer}/${at}/name`, `the name "${name}" stands twice`)],
  );
}

/** A workspace that is not optional must come with each run: for nothing, if no task has it. */
function unusedWorkspaces(placed: PlacedObject, declared: readonly string[]): Finding[] {
  const spec = dig(placed.object, 'spec');
  const used = [...listOf(dig(spec, 'tasks')), ...listOf(dig(spec, 'finally'))].flatMap((task) =>
    listOf(dig(task, 'workspaces')).map((entry) => dig(entry, 'workspace') ?? dig(entry, 'name')),
  );
  return declared.flatMap((name, at) =>
    used.includes(name) || dig(spec, 'workspaces', at, 'optional') === true
      ? []
      : [findingAt(placed, 'output-pipeline', `/spec/workspaces/${at}/name`, `no task uses the workspace "${name}"`)],
  );
}

function checkTask(
  placed: PlacedObject,
  task: unknown,
  pointer: string,
  pipelineParams: readonly string[],
  pipelineWorkspaces: readonly string[],
): Finding[] {
  const findings: Finding[] = [];
  const at = (where: string, message: string) => findings.push(findingAt(placed, 'output-pipeline', where, message));
  const taskParams = names(dig(task, 'taskSpec', 'params'));
  const taskWorkspaces = names(dig(task, 'taskSpec', 'workspaces'));
  const taskResults = names(dig(task, 'taskSpec', 'results'));

  listOf(dig(task, 'params')).forEach((param, position) => {
    const name = textOf(dig(param, 'name')) ?? '';
    if (!taskParams.includes(name)) at(`${pointer}/params/${position}/name`, `the task declares no param "${name}"`);
    for (const used of referencesIn(dig(param, 'value'), 'params')) {
      if (!pipelineParams.includes(used)) {
        at(`${pointer}/params/${position}/value`, `the Pipeline declares no param "${used}"`);
      }
    }
  });
  listOf(dig(task, 'when')).forEach((condition, position) => {
    for (const used of referencesIn(condition, 'params')) {
      if (!pipelineParams.includes(used)) {
        at(`${pointer}/when/${position}`, `the Pipeline declares no param "${used}"`);
      }
    }
  });
  listOf(dig(task, 'taskSpec', 'params')).forEach((param, position) => {
    const name = textOf(dig(param, 'name')) ?? '';
    const given = names(dig(task, 'params')).includes(name) || dig(param, 'default') !== undefined;
    if (!given) at(`${pointer}/taskSpec/params/${position}/name`, `nothing gives the param "${name}" a value`);
  });
  listOf(dig(task, 'workspaces')).forEach((workspace, position) => {
    const name = textOf(dig(workspace, 'name')) ?? '';
    const from = textOf(dig(workspace, 'workspace')) ?? name;
    if (!taskWorkspaces.includes(name)) {
      at(`${pointer}/workspaces/${position}/name`, `the task declares no workspace "${name}"`);
    }
    if (!pipelineWorkspaces.includes(from)) {
      at(`${pointer}/workspaces/${position}/workspace`, `the Pipeline declares no workspace "${from}"`);
    }
  });
  listOf(dig(task, 'taskSpec', 'workspaces')).forEach((workspace, position) => {
    const name = textOf(dig(workspace, 'name')) ?? '';
    if (!names(dig(task, 'workspaces')).includes(name) && dig(workspace, 'optional') !== true) {
      at(`${pointer}/taskSpec/workspaces/${position}/name`, `nothing gives the workspace "${name}"`);
    }
  });
  listOf(dig(task, 'taskSpec', 'steps')).forEach((step, position) => {
    const base = `${pointer}/taskSpec/steps/${position}`;
    const script = textOf(dig(step, 'script'));
    if (script === undefined && dig(step, 'command') === undefined)
      at(base, 'the step has neither a script nor a command');
    if (script !== undefined && /\$\((?:params|workspaces|tasks|results|context)\b/.test(script)) {
      at(`${base}/script`, 'Tekton would replace text inside the script; hand values over as environment');
    }
    const texts = referringTexts({ ...(step as object), script: '' });
    for (const used of referencesIn(texts, 'params')) {
      if (!taskParams.includes(used)) at(base, `the step uses the param "${used}", which the task does not declare`);
    }
    for (const used of referencesIn(texts, 'workspaces')) {
      if (!taskWorkspaces.includes(used))
        at(base, `the step uses the workspace "${used}", which the task does not declare`);
    }
    for (const used of referencesIn(texts, 'results')) {
      if (!taskResults.includes(used)) at(base, `the step uses the result "${used}", which the task does not declare`);
    }
  });
  return findings;
}

/** The texts of a value that may hold references: few of many. */
function referringTexts(value: unknown): string[] {
  if (typeof value === 'string') return value.includes('$(') ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(referringTexts);
}

/** The names used as `$(params.NAME)`, `$(params["NAME"])`, `$(workspaces.NAME.path)` and so on, anywhere in a value. */
function referencesIn(value: unknown, root: 'params' | 'workspaces' | 'results'): string[] {
  if (typeof value === 'string') {
    return [...value.matchAll(REFERENCE)]
      .filter((match) => match.groups?.['root'] === root)
      .map((match) => {
        const rest = match.groups?.['rest'] ?? '';
        return /^\[["'](.+)["']\]/.exec(rest)?.[1] ?? /^\.([A-Za-z0-9_-]+)/.exec(rest)?.[1] ?? rest;
      });
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((item) => referencesIn(item, root));
}

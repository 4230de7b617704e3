import type { Finding } from './finding.ts';
import { anyText, dig, listOf, textOf } from './json-view.ts';
import { findingAt, type PlacedObject } from './rendered-objects.ts';

const RESULT = /\$\(tasks\.([A-Za-z0-9-]+)\.results\.([A-Za-z0-9_.-]+)\)/g;

interface Dependency {
  readonly pointer: string;
  readonly task: string;
  readonly result?: string;
}

/**
 * Tasks wait only for tasks that exist, and never for each other in a ring; they and the Pipeline use only results that
 * tasks declare.
 */
export function pipelineOrder(placed: PlacedObject): Finding[] {
  const tasks = listOf(dig(placed.object, 'spec', 'tasks'));
  const all = [...tasks, ...listOf(dig(placed.object, 'spec', 'finally'))];
  const byName = new Map(all.map((task) => [textOf(dig(task, 'name')) ?? '', task]));
  const findings: Finding[] = [];
  const edges = new Map<string, string[]>();

  const resolve = (dependency: Dependency, waiting?: string): void => {
    const at = (message: string) => findings.push(findingAt(placed, 'output-pipeline', dependency.pointer, message));
    const target = byName.get(dependency.task);
    if (target === undefined) {
      at(`there is no task "${dependency.task}"`);
      return;
    }
    if (waiting !== undefined) edges.set(waiting, [...(edges.get(waiting) ?? []), dependency.task]);
    const declared = listOf(dig(target, 'taskSpec', 'results')).map((result) => dig(result, 'name'));
    if (dependency.result !== undefined && !declared.includes(dependency.result)) {
      at(`the task "${dependency.task}" declares no result "${dependency.result}"`);
    }
  };
  all.forEach((task, at) => {
    const name = textOf(dig(task, 'name')) ?? '';
    const pointer = at < tasks.length ? `/spec/tasks/${at}` : `/spec/finally/${at - tasks.length}`;
    for (const dependency of dependenciesOf(task, pointer)) resolve(dependency, name);
  });
  listOf(dig(placed.object, 'spec', 'results')).forEach((result, at) => {
    for (const dependency of resultsIn(dig(result, 'value'), `/spec/results/${at}/value`)) resolve(dependency);
  });
  const ring = findRing(edges);
  if (ring !== undefined) {
    findings.push(
      findingAt(placed, 'output-pipeline', '/spec/tasks', `the tasks wait for each other: ${ring.join(' -> ')}`),
    );
  }
  return findings;
}

function dependenciesOf(task: unknown, pointer: string): Dependency[] {
  const after = listOf(dig(task, 'runAfter')).map((name, at) => ({
    pointer: `${pointer}/runAfter/${at}`,
    task: anyText(name),
  }));
  const used = ['params', 'when'].flatMap((field) => resultsIn(dig(task, field), `${pointer}/${field}`));
  return [...after, ...used];
}

/** The results of tasks that a value uses. */
const resultsIn = (value: unknown, pointer: string): Dependency[] =>
  [...JSON.stringify(value ?? null).matchAll(RESULT)].map(([, task = '', result = '']) => ({ pointer, task, result }));

/** The names along the first ring that is found. */
function findRing(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const next of edges.get(name) ?? []) {
      const ring = visit(next, [...path, name]);
      if (ring !== undefined) return ring;
    }
    done.add(name);
    return undefined;
  };
  for (const name of edges.keys()) {
    const ring = visit(name, []);
    if (ring !== undefined) return ring;
  }
  return undefined;
}

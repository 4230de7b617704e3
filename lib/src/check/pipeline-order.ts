import type { Finding } from './finding.ts';
import { dig, listOf, textOf } from './json-view.ts';
import { findingAt, type PlacedObject } from './rendered-objects.ts';

const RESULT = /\$\(tasks\.([A-Za-z0-9-]+)\.results\.([A-Za-z0-9_.-]+)\)/g;

interface Dependency {
  readonly pointer: string;
  readonly task: string;
  readonly result?: string;
}

/** Tasks wait only for tasks that exist, use only results that these declare, and never for each other in a ring. */
export function pipelineOrder(placed: PlacedObject): Finding[] {
  const tasks = listOf(dig(placed.object, 'spec', 'tasks'));
  const all = [...tasks, ...listOf(dig(placed.object, 'spec', 'finally'))];
  const byName = new Map(all.map((task) => [textOf(dig(task, 'name')) ?? '', task]));
  const findings: Finding[] = [];
  const edges = new Map<string, string[]>();

  all.forEach((task, at) => {
    const name = textOf(dig(task, 'name')) ?? '';
    const pointer = at < tasks.length ? `/spec/tasks/${at}` : `/spec/finally/${at - tasks.length}`;
    for (const dependency of dependenciesOf(task, pointer)) {
      const target = byName.get(dependency.task);
      if (target === undefined) {
        findings.push(
          findingAt(placed, 'output-pipeline', dependency.pointer, `there is no task "${dependency.task}"`),
        );
      } else {
        edges.set(name, [...(edges.get(name) ?? []), dependency.task]);
        const declared = listOf(dig(target, 'taskSpec', 'results')).map((result) => dig(result, 'name'));
        if (dependency.result !== undefined && !declared.includes(dependency.result)) {
          findings.push(
            findingAt(
              placed,
              'output-pipeline',
              dependency.pointer,
              `the task "${dependency.task}" declares no result "${dependency.result}"`,
            ),
          );
        }
      }
    }
  });
  const ring = findRing(edges);
  if (ring !== undefined) {
    findings.push(findingAt(placed, 'output-pipeline', '/spec/tasks', `the tasks wait for each other: ${ring.join(' -> ')}`));
  }
  return findings;
}

function dependenciesOf(task: unknown, pointer: string): Dependency[] {
  const after = listOf(dig(task, 'runAfter')).map((name, at) => ({
    pointer: `${pointer}/runAfter/${at}`,
    task: String(name),
  }));
  const used = ['params', 'when'].flatMap((field) =>
    [...JSON.stringify(dig(task, field) ?? null).matchAll(RESULT)].map(([, name = '', result = '']) => ({
      pointer: `${pointer}/${field}`,
      task: name,
      result,
    })),
  );
  return [...after, ...used];
}

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

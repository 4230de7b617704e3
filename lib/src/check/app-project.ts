import type { Lane } from '../lane/lane.ts';
import { runtimeDirectory } from '../lane/rendered-paths.ts';
import type { Finding } from './finding.ts';
import { anyText, dig, listOf, shown } from './json-view.ts';
import {
  findingAt,
  groupOf,
  isClusterObject,
  isClusterScoped,
  objectTitle,
  type PlacedObject,
} from './rendered-objects.ts';

/** The Application is one that its AppProject permits, and the AppProject permits every object that it deploys. */
export function checkAppProject(
  lane: Lane,
  control: readonly PlacedObject[],
  runtime: readonly PlacedObject[],
): Finding[] {
  const applications = control.filter(({ object }) => object.kind === 'Application');
  return applications.flatMap((application) => {
    const name = dig(application.object, 'spec', 'project');
    const project = control.find(
      ({ object }) =>
        object.kind === 'AppProject' &&
        object.metadata?.name === name &&
        object.metadata?.namespace === application.object.metadata?.namespace,
    );
    if (project === undefined) {
      return [
        findingAt(application, 'output-project', '/spec/project', `the AppProject ${shown(name)} is not rendered`),
      ];
    }
    return [
      ...permittedRepository(application, project),
      ...permittedNamespaces(application, project, runtime),
      ...permittedKinds(project, runtime),
      ...pathIsRendered(lane, application),
    ];
  });
}

/** Argo CD's patterns: "*" stands for any text. */
function matches(pattern: unknown, value: unknown): boolean {
  if (!anyText(pattern).includes('*')) return anyText(pattern) === anyText(value);
  const parts = anyText(pattern)
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(anyText(value));
}

function permittedRepository(application: PlacedObject, project: PlacedObject): Finding[] {
  const repository = dig(application.object, 'spec', 'source', 'repoURL');
  if (listOf(dig(project.object, 'spec', 'sourceRepos')).some((pattern) => matches(pattern, repository))) return [];
  return [
    findingAt(project, 'output-project', '/spec/sourceRepos', `the repository ${shown(repository)} is not permitted`),
  ];
}

/** The namespace that the Application names, and that of every object: Argo CD puts each where it says. */
function permittedNamespaces(
  application: PlacedObject,
  project: PlacedObject,
  runtime: readonly PlacedObject[],
): Finding[] {
  const destination = dig(application.object, 'spec', 'destination');
  const server = dig(destination, 'server');
  const namespaces = new Set<unknown>([dig(destination, 'namespace')]);
  for (const { object } of runtime)
    if (object.metadata?.namespace !== undefined) namespaces.add(object.metadata.namespace);
  return [...namespaces]
    .filter(
      (namespace) =>
        !listOf(dig(project.object, 'spec', 'destinations')).some(
          (entry) => matches(dig(entry, 'server'), server) && matches(dig(entry, 'namespace'), namespace),
        ),
    )
    .map((namespace) =>
      findingAt(
        project,
        'output-project',
        '/spec/destinations',
        `the namespace ${shown(namespace)} at ${shown(server)} is not permitted`,
      ),
    );
}

function permittedKinds(project: PlacedObject, runtime: readonly PlacedObject[]): Finding[] {
  const missing = new Map<string, Finding>();
  for (const { object } of runtime.filter((placed) => isClusterObject(placed.object))) {
    const field = isClusterScoped(object) ? 'clusterResourceWhitelist' : 'namespaceResourceWhitelist';
    const permitted = listOf(dig(project.object, 'spec', field)).some(
      (entry) => matches(dig(entry, 'group'), groupOf(object)) && matches(dig(entry, 'kind'), object.kind),
    );
    if (!permitted && !missing.has(object.kind)) {
      missing.set(
        object.kind,
        findingAt(
          project,
          'output-project',
          `/spec/${field}`,
          `${objectTitle(object)} is of a kind that is not permitted`,
        ),
      );
    }
  }
  return [...missing.values()];
}

function pathIsRendered(lane: Lane, application: PlacedObject): Finding[] {
  const path = dig(application.object, 'spec', 'source', 'path');
  return path === runtimeDirectory(lane)
    ? []
    : [
        findingAt(
          application,
          'output-project',
          '/spec/source/path',
          `the path ${shown(path)} is not the rendered directory "${runtimeDirectory(lane)}"`,
        ),
      ];
}

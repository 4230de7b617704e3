import { createHash } from 'node:crypto';
import { type BundleFile, type ResourceBundleRef, WORKSPACE_OWN_FOLDER } from '@agentrun/lib/contract';
import { invalidBundle } from './bundle-failure.ts';
import type { PlacedFile } from './workspace-path.ts';

export type BundleRepository = NonNullable<ResourceBundleRef['repositories']>[number];

/** What a bundle puts where; checked. */
export interface BundlePlan {
  /** SHA-256 of the bundle, in hex. */
  readonly hash: string;
  readonly repositories: readonly BundleRepository[];
  readonly files: readonly PlacedFile[];
  readonly onDirty: 'fail' | 'keep' | 'overwrite';
}

/**
 * Says what a bundle puts where. Instructions, prompts and skills go to `.agentrun/instructions.md`,
 * `.agentrun/prompts/<name>` and `.agentrun/skills/<name>/<path>`.
 *
 * @throws BackendFailure `resource-bundle-invalid` for paths that are not allowed or collide
 */
export function planBundle(bundle: ResourceBundleRef): BundlePlan {
  const { repositories = [], files = [], prompts = [], skills = [], instructions, onDirty = 'fail' } = bundle;
  for (const { path } of repositories) assertPath(path, 'repository', false);
  for (const { path } of files) assertPath(path, 'file', false);
  const own = (name: string, content: string | Buffer, mode = 0o644): PlacedFile => {
    const path = `${WORKSPACE_OWN_FOLDER}/${name}`;
    assertPath(path, 'file', true);
    return { path, data: Buffer.from(content), mode };
  };
  const placed = [
    ...files.map((file) => ({ path: file.path, data: dataOf(file), mode: modeOf(file) })),
    ...(instructions === undefined ? [] : [own('instructions.md', instructions)]),
    ...prompts.map(({ name, content }) => own(`prompts/${name}`, content)),
    ...skills.flatMap(({ name, files: parts }) =>
      parts.map((file) => own(`skills/${name}/${file.path}`, dataOf(file), modeOf(file))),
    ),
  ];
  assertApart(
    repositories.map(({ path }) => path),
    placed.map(({ path }) => path),
  );
  return { hash: bundleHash(bundle), repositories, files: placed, onDirty };
}

/** The same for the same bundle, whatever the order of its members. */
function bundleHash(bundle: ResourceBundleRef): string {
  return createHash('sha256').update(JSON.stringify(bundle, sortedMembers)).digest('hex');
}

function sortedMembers(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function dataOf(file: BundleFile): Buffer {
  const { content, contentBase64 } = file as { content?: string; contentBase64?: string };
  return contentBase64 === undefined ? Buffer.from(content ?? '') : Buffer.from(contentBase64, 'base64');
}

function modeOf({ mode = '644' }: BundleFile): number {
  return Number.parseInt(mode, 8) & 0o777;
}

function assertPath(path: string, what: string, isOwn: boolean): void {
  const segments = path.split('/');
  const wrong = (why: string): never => {
    throw invalidBundle(`the ${what} path ${JSON.stringify(path)} is not allowed: ${why}`);
  };
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..') || path.includes('\0')) {
    wrong('it must be relative, and lead nowhere but down');
  }
  // Settings and hooks of a repository would be run by git.
  if (segments.some((segment) => /^(?:\.git|git~\d+)[ .]*$/i.test(segment))) wrong('".git" belongs to git');
  if (!isOwn && segments[0]?.toLowerCase() === WORKSPACE_OWN_FOLDER)
    wrong(`"${WORKSPACE_OWN_FOLDER}" is AgentRun's own`);
}

/** No path twice, none below a file, and no repository in another. */
function assertApart(repositories: readonly string[], files: readonly string[]): void {
  const ends = new Map<string, string>();
  for (const [kind, paths] of [
    ['repository', repositories],
    ['file', files],
  ] as const) {
    for (const path of paths) {
      const other = ends.get(path);
      if (other !== undefined)
        throw invalidBundle(`the path ${JSON.stringify(path)} is given twice, to a ${other} and a ${kind}`);
      ends.set(path, kind);
    }
  }
  for (const [path, kind] of ends) {
    const segments = path.split('/');
    for (let depth = 1; depth < segments.length; depth += 1) {
      const above = segments.slice(0, depth).join('/');
      const what = ends.get(above);
      if (what === 'file' || (what === 'repository' && kind === 'repository')) {
        throw invalidBundle(`the ${kind} ${JSON.stringify(path)} lies below the ${what} ${JSON.stringify(above)}`);
      }
    }
  }
}

import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type RepositoryState, repositoryState } from '@agentrun/lib';

/** The repository of a lane file; asked of git once for each folder. */
export type RepositoryLookup = (laneFile: string) => Promise<RepositoryState | undefined>;

export function repositoryLookup(): RepositoryLookup {
  const known = new Map<string, Promise<RepositoryState | undefined>>();
  return (laneFile) => {
    const folder = dirname(laneFile);
    const state = known.get(folder) ?? repositoryState(folder);
    known.set(folder, state);
    return state;
  };
}

/** The path of a lane file in its repository, with "/"; the file may be gone. Git names the root by its real path. */
export function pathInRepository({ root }: RepositoryState, laneFile: string): string {
  const real = existsSync(laneFile)
    ? realpathSync(laneFile)
    : join(realpathSync(dirname(laneFile)), basename(laneFile));
  return relative(realpathSync(root), real).split(sep).join('/');
}

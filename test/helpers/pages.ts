import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './repository-root.ts';

/** A Markdown page of the repository. */
export interface Page {
  /** Relative to the repository, with "/". */
  readonly path: string;
  readonly text: string;
}

const page = (path: string): Page => ({ path, text: readFileSync(join(REPOSITORY, path), 'utf8') });

/** The README, and every page of `docs/`. */
export function pages(): Page[] {
  const names = readdirSync(join(REPOSITORY, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...names.sort().map((name) => `docs/${name}`)].map(page);
}

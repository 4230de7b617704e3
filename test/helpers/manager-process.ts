import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles a program of test/fixtures/processes that uses the manager's source, and through it the library's, into one
 * file that plain Node runs. Gives back the path of that file.
 */
export async function bundleManagerProcess(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'agentrun-process-'));
  const outfile = join(folder, `${parse(name).name}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, '../fixtures/processes', name)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@agentrun/source'],
    logLevel: 'error',
  });
  return outfile;
}

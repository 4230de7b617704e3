/**
 * Writes every generated file, or with `--check` says which of them are not fresh (exit 1).
 * `--only WORD` limits the run to the files whose path contains WORD.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './generated-files.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const check = process.argv.includes('--check');
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;

const stale: string[] = [];
for (const { path, make } of generatedFiles) {
  if (only !== undefined && !path.includes(only)) continue;
  const fresh = await make(root);
  const present = await readFile(join(root, path), 'utf8').catch(() => undefined);
  if (present === fresh) continue;
  if (check) stale.push(path);
  else {
    await writeFile(join(root, path), fresh);
    process.stdout.write(`wrote ${path}\n`);
  }
}
if (stale.length > 0) {
  process.stderr.write(`not fresh, run "npm run generate":\n${stale.map((path) => `  ${path}\n`).join('')}`);
  process.exitCode = 1;
}

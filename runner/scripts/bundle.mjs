/**
 * Builds what an image carries: the runner as one file, the thread of its heartbeat as another, and the agents that
 * AgentRun ships beside them.
 *
 * node runner/scripts/bundle.mjs [--outdir DIR]     DIR gets main.js, lease-keeper-thread.js, agents/ and meta.json;
 *                                                   default: dist/bundle of the package
 */
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const source = resolve(import.meta.dirname, '..');
const repository = resolve(source, '..');
const { values } = parseArgs({ options: { outdir: { type: 'string', default: join(source, 'dist', 'bundle') } } });
const folder = resolve(values.outdir);
const NAMES = ['main', 'lease-keeper-thread'];

const { metafile, outputFiles } = await build({
  absWorkingDir: repository,
  entryPoints: Object.fromEntries(NAMES.map((name) => [name, join(source, 'src', `${name}.ts`)])),
  outdir: folder,
  write: false,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  conditions: ['@agentrun/source'],
  // Names stay as they are written: a stack trace is of use to those who read it.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

mkdirSync(folder, { recursive: true });
for (const { path, contents } of outputFiles) writeFileSync(path, contents);
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
writeFileSync(join(folder, 'meta.json'), JSON.stringify(metafile));
const agents = join(repository, 'templates', 'agents');
rmSync(join(folder, 'agents'), { recursive: true, force: true });
if (existsSync(agents)) cpSync(agents, join(folder, 'agents'), { recursive: true });
const kib = outputFiles.reduce((sum, { contents }) => sum + contents.length, 0) / 1024;
process.stderr.write(`${relative(process.cwd(), folder)}: ${NAMES.join('.js, ')}.js, ${kib.toFixed(0)} KiB\n`);

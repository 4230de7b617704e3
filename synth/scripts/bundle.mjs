/**
 * Builds what is shipped, in dist/bundle of the package: the command line as one file for bin/agentrun.js, the process
 * of the proof as another, the code that V8 compiled for the Node that runs this, and the licences of what is inside.
 *
 * node synth/scripts/bundle.mjs [--root DIR]     DIR: the folder that gets bin/ and dist/; default: the package itself
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { leanModules } from './lean-modules.mjs';
import { licenceTexts } from './licences.mjs';

const started = new Date();
const source = resolve(import.meta.dirname, '..');
const repository = resolve(source, '..');
const { values } = parseArgs({ options: { root: { type: 'string', default: source } } });
const root = resolve(values.root);
const folder = join(root, 'dist', 'bundle');

const common = {
  absWorkingDir: repository,
  outdir: folder,
  write: false,
  bundle: true,
  platform: 'node',
  target: 'node20',
  conditions: ['@agentrun/source'],
  // Names stay as they are written: a stack trace is of use to those who read it.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [leanModules],
};

const commandLine = await build({
  ...common,
  entryPoints: { agentrun: join(source, 'src', 'main.ts') },
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  // The script is compiled by itself, where Node has no loader for import().
  supported: { 'dynamic-import': false },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  define: { 'import.meta.url': 'bundleUrl' },
});
const proof = await build({
  ...common,
  entryPoints: { worker: join(repository, 'lib', 'src', 'proof', 'worker.ts') },
  format: 'esm',
  // Packages in CommonJS call require.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const metafile = {
  inputs: { ...commandLine.metafile.inputs, ...proof.metafile.inputs },
  outputs: { ...commandLine.metafile.outputs, ...proof.metafile.outputs },
};
const text = `(function (exports, require, module, __filename, __dirname) {${asciiText(commandLine.outputFiles[0])}\n})`;
const id = createHash('sha256').update(text).digest('hex').slice(0, 12);
writeFileSync(join(folder, 'agentrun.cjs'), `//${id}\n${text}`);
writeFileSync(join(folder, 'worker.js'), proof.outputFiles[0].text);
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
writeFileSync(join(folder, 'LICENSES'), await licenceTexts(Object.keys(metafile.inputs), repository));
writeFileSync(join(folder, 'meta.json'), JSON.stringify(metafile));
// A source that was changed while this ran must count as newer.
utimesSync(join(folder, 'agentrun.cjs'), started, started);

if (root !== source) {
  for (const name of ['bin', 'package.json']) cpSync(join(source, name), join(root, name), { recursive: true });
}
compileAhead();
process.stderr.write(
  `${relative(process.cwd(), folder)}: agentrun.cjs ${(text.length / 1024).toFixed(0)} KiB, ${id}\n`,
);

/** The file is read as one byte a character, the fastest way: regular expressions may still hold others. */
function asciiText({ text: written }) {
  return written.replaceAll(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A run of the command line leaves its compiled code behind. */
function compileAhead() {
  const scratch = mkdtempSync(join(tmpdir(), 'agentrun-bundle-'));
  try {
    const lane = join(repository, 'lanes', 'v0.1.yaml');
    const commit = '0'.repeat(40);
    const args = [
      'synth',
      lane,
      '--placeholder',
      '--source-commit',
      commit,
      '--allow-dirty',
      '--out',
      join(scratch, 'out'),
    ];
    const { NODE_OPTIONS: _options, ...env } = process.env;
    execFileSync(process.execPath, [join(root, 'bin', 'agentrun.js'), ...args], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

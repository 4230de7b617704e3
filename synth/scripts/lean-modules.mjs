import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/**
 * An esbuild plugin for what the packages below would load at every start though a command line that renders lanes never
 * calls it. No behaviour changes: a part that is called after all is loaded at that moment. A package that no longer
 * looks as it did stops the build.
 *
 * - cdk8s: its index names each class without loading the files of all the others (helm, include, testing). The YAML
 *   writer and JSON patch stay away until `App.synth` or `addJsonPatch` asks for them.
 * - cdk8s-plus-28: the file of the Kubernetes classes becomes an ES module, so that only the kinds in use are kept.
 * - child_process, which brings the network modules of Node with it, and fs/promises: loaded when they are called.
 *
 * @type {import('esbuild').Plugin}
 */
export const leanModules = {
  name: 'lean-modules',
  setup(build) {
    build.onResolve({ filter: /^cdk8s$/ }, async ({ importer, kind, resolveDir, pluginData }) => {
      if (pluginData === 'found') return undefined;
      const { path } = await build.resolve('cdk8s', { importer, kind, resolveDir, pluginData: 'found' });
      return { namespace: 'named-index', path: 'cdk8s', sideEffects: false, pluginData: path };
    });
    build.onLoad({ filter: /./, namespace: 'named-index' }, async ({ pluginData: path }) => ({
      contents: await namedIndex(path),
      resolveDir: dirname(path),
    }));
    build.onResolve({ filter: /^\.\//, namespace: 'named-index' }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path),
      sideEffects: false,
    }));

    build.onResolve({ filter: /^\.\/(?:yaml|json-patch)$/ }, ({ path, importer }) =>
      /[\\/]cdk8s[\\/]lib[\\/](?:app|api-object)\.js$/.test(importer)
        ? loadedLater(join(dirname(importer), `${path}.js`))
        : undefined,
    );
    build.onResolve({ filter: /^(?:node:)?(?:child_process|fs\/promises)$/ }, ({ path, namespace }) =>
      namespace === 'later' ? undefined : loadedLater(path.startsWith('node:') ? path : `node:${path}`),
    );
    build.onLoad({ filter: /./, namespace: 'later' }, ({ pluginData: path }) => ({
      contents: gettersOf(path),
      resolveDir: dirname(path),
    }));

    // cdk8s brings a copy of its own along; one of the same version does for both.
    build.onResolve({ filter: /^yaml$/ }, async ({ importer, kind, resolveDir, pluginData }) => {
      if (pluginData === 'found' || !/[\\/]cdk8s[\\/]lib[\\/]/.test(importer)) return undefined;
      const load = createRequire(importer);
      const ours = createRequire(join(build.initialOptions.absWorkingDir, 'lib', 'package.json'));
      const same = load('yaml/package.json').version === ours('yaml/package.json').version;
      const from = same ? join(build.initialOptions.absWorkingDir, 'lib') : resolveDir;
      return build.resolve('yaml', { importer, kind, resolveDir: from, pluginData: 'found' });
    });

    build.onLoad({ filter: /[\\/]cdk8s-plus-28[\\/]lib[\\/]imports[\\/]k8s\.js$/ }, async ({ path }) => ({
      contents: asModule(await readFile(path, 'utf8'), path),
    }));
  },
};

const loadedLater = (path) => ({
  namespace: 'later',
  path: path.startsWith('node:') ? path : basename(path),
  sideEffects: false,
  pluginData: path,
});

/** What an index of `export * from` lines says, by name: of a CommonJS file the bundler knows no names. */
async function namedIndex(path) {
  const files = [
    ...(await readFile(path, 'utf8')).matchAll(/^__exportStar\(require\("(\.\/[a-z-]+)"\), exports\);$/gm),
  ];
  if (files.length === 0) throw new Error(`${path} is no list of files to export`);
  const load = createRequire(path);
  return files.map(([, file]) => `export { ${Object.keys(load(file)).join(', ')} } from '${file}.js';`).join('\n');
}

/** A module with the same names, each of which loads the real one when it is read. */
function gettersOf(path) {
  const names = Object.keys(createRequire(import.meta.url)(path)).filter((name) => name !== 'default');
  const wanted = path.startsWith('node:') ? path : `./${basename(path)}`;
  return `const real = () => require(${JSON.stringify(wanted)});
module.exports = {
${names.map((name) => `  get ${name}() { return real().${name}; },`).join('\n')}
};`;
}

/** The generated classes as an ES module without the marks of jsii, which nothing reads in JavaScript. */
function asModule(text, path) {
  const names = [];
  const kinds = new Map();
  let code = text
    .replace(/^"use strict";\n/, '')
    .replace(/^var (?:_\w+, )+_\w+;\n/m, '')
    .replace(/^Object\.defineProperty\(exports, "__esModule", \{ value: true \}\);\n/m, '')
    .replace(/^(?:exports\.\w+ = )+void 0;\n/gm, '')
    .replace(/^const JSII_RTTI_SYMBOL_1 = .*\n/m, '')
    .replace(/^_\w+ = JSII_RTTI_SYMBOL_1;\n\w+\[_\w+\] = \{ fqn: .* \};\n/gm, '')
    .replace('const cdk8s_1 = require("cdk8s");', 'import { ApiObject } from "cdk8s";')
    .replaceAll(' extends cdk8s_1.ApiObject ', ' extends ApiObject ')
    .replace(/^exports\.(\w+) = \1;\n/gm, (_line, name) => {
      names.push(name);
      return '';
    })
    .replace(/^\}\)\((\w+) = exports\.\1 \|\| \(exports\.\1 = \{\}\)\);$/gm, (_line, name) => {
      names.push(name);
      return `})(${name} || (${name} = {}));`;
    })
    .replace(/^(\w+)\.GVK = (\{\n(?: {4}.*\n)*\});\n/gm, (_line, name, value) => {
      kinds.set(name, value);
      return '';
    });
  code = code.replace(/^class (\w+) extends ApiObject \{\n/gm, (line, name) => {
    const value = kinds.get(name);
    kinds.delete(name);
    return value === undefined ? line : `${line}    static GVK = ${value};\n`;
  });
  const left = /\b(?:exports|require|cdk8s_1|JSII_RTTI_SYMBOL_1)\b/.exec(code.replace(/^\s*(?:\*|\/\/|\/\*).*$/gm, ''));
  if (names.length === 0 || kinds.size > 0 || left !== null) {
    throw new Error(`${path} is not written as it was: ${left?.[0] ?? [...kinds.keys()][0] ?? 'it exports nothing'}`);
  }
  return `${code}\nexport { ${names.join(', ')} };\n`;
}

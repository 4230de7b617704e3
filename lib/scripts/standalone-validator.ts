import { Ajv } from 'ajv';
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';

export interface StandaloneOptions {
  /** Fill `default`s into the data. */
  useDefaults?: boolean;
  /** What the header says about the file. */
  purpose: string;
}

/** The settings of every compiled schema. */
const AJV = {
  allErrors: true,
  strict: true,
  strictRequired: false,
  strictTypes: false,
  allowUnionTypes: true,
  inlineRefs: false,
  unicodeRegExp: false,
  code: { source: true, esm: true, lines: false, optimize: true },
  keywords: ['x-expected', 'x-kubernetes'],
} as const;

const TYPE = '{ (data: unknown): boolean; errors?: readonly Record<string, unknown>[] | null }';

/**
 * Compiles one schema to a TypeScript file without imports that exports `validate(data): boolean` with
 * `validate.errors`, the way ajv's own functions behave.
 */
export async function standaloneValidator(schema: AnySchemaObject, options: StandaloneOptions): Promise<string> {
  const ajv = new Ajv2020({ ...AJV, keywords: [...AJV.keywords], useDefaults: options.useDefaults ?? false });
  const { code, exported } = await bundle(standaloneCode.default(ajv, ajv.compile(schema)));
  return [
    ...header(options.purpose),
    code,
    "/** @type as ajv's: returns whether the data fit, and leaves what was wrong in `errors`. */",
    `export const validate: ${TYPE} =`,
    `  ${exported['default']} as never;`,
    '',
  ].join('\n');
}

/**
 * The ajv with which the validators of rendered objects are compiled: errors carry schema and data, no text. It is
 * the one for draft-07, whose code is smaller: it need not track what was evaluated.
 */
export function objectAjv(): Ajv {
  return new Ajv({ ...AJV, keywords: [...AJV.keywords], verbose: true, messages: false, loopRequired: 2 });
}

/**
 * Compiles several definitions of one schema to a TypeScript file without imports that exports `validators`, each
 * under its key. Shared definitions are compiled once. Errors carry `parentSchema` and `data`.
 */
export async function standaloneValidators(
  schema: AnySchemaObject,
  refs: Readonly<Record<string, string>>,
  purpose: string,
): Promise<string> {
  const ajv = objectAjv();
  ajv.addSchema({ ...schema, $id: 'objects' });
  const keys = Object.keys(refs);
  const names = Object.fromEntries(keys.map((key, index) => [`validate${index}`, `objects${refs[key]}`]));
  const { code, exported } = await bundle(compact(standaloneCode.default(ajv, names)));
  return [
    ...header(purpose),
    code,
    '/** By apiVersion/kind; each returns whether the object fits, and leaves what was wrong in its `errors`. */',
    `export const validators: Record<string, ${TYPE}> = {`,
    ...keys.map((key, index) => `  '${key}': ${exported[`validate${index}`]} as never,`),
    '};',
    '',
  ].join('\n');
}

/**
 * Shortens what ajv writes out at each error and each call: a third of the code. The keywords in use look at neither
 * parents nor root. Fails when ajv writes another form than the one known here.
 */
function compact(code: string): string {
  let short = code;
  for (const [long, by] of [
    [/if\(vErrors === null\)\{vErrors = \[(err\d+)\];\}else \{vErrors\.push\(\1\);\}/g, 'vErrors = also(vErrors, $1);'],
    [
      /vErrors = vErrors === null \? (\w+)\.errors : vErrors\.concat\(\1\.errors\);/g,
      'vErrors = both(vErrors, $1.errors);',
    ],
    [/,parentData(?::[^,{}]*)?,parentDataProperty(?::[^,{}]*)?,rootData\}/g, '}'],
    [/\{instancePath="", parentData, parentDataProperty, rootData=data\}=\{\}/g, '{instancePath=""}={}'],
    [/,schema:(?:schema\d+[^,{}()]*|\w+|"(?:[^"\\]|\\.)*"),parentSchema:/g, ',parentSchema:'],
    [/params:\{(?:pattern|type): "(?:[^"\\]|\\.)*"\}/g, 'params:{}'],
    // The path of the schema matters only inside alternatives, where it tells what to fold.
    [/schemaPath:"#(?:(?!\/(?:oneOf|anyOf|not|if)\/)[^"])*",/g, ''],
  ] as const) {
    if (!long.test(short)) throw new Error(`ajv no longer writes ${String(long)}`);
    short = short.replace(long, by);
  }
  if (/parentData|rootData/.test(short)) throw new Error('ajv passes parents in a form that is not known here');
  return `function also(list, error) { if (list === null) return [error]; list.push(error); return list; }
function both(list, errors) { return list === null ? errors : list.concat(errors); }
${short}`;
}

const header = (purpose: string): string[] => [
  '// @ts-nocheck',
  `// Made by "npm run generate": ${purpose} Do not edit.`,
];

/** ajv's ESM output still calls require() for its runtime: bundle it, and take its exports apart. */
async function bundle(contents: string): Promise<{ code: string; exported: Record<string, string> }> {
  const bundled = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'js' },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['main'],
    write: false,
    minifySyntax: true,
    minifyWhitespace: true,
    minifyIdentifiers: true,
    legalComments: 'none',
  });
  const js = bundled.outputFiles[0]?.text ?? '';
  const found = /export\s*\{([^}]*)\};?\s*$/.exec(js);
  if (found === null) throw new Error('the compiled validator has no exports');
  const exported: Record<string, string> = {};
  for (const item of (found[1] ?? '').split(',')) {
    const [local = '', name = local] = item.trim().split(/\s+as\s+/);
    exported[name] = local;
  }
  return { code: js.slice(0, found.index).trimEnd(), exported };
}

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Each folder of the library, and the folders that it may import from besides itself. */
const LIB: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  'errors.ts': ['contract'],
  processes: ['contract', 'errors.ts'],
  environment: ['contract', 'errors.ts'],
  lane: ['contract', 'errors.ts', 'environment'],
  artifacts: ['errors.ts', 'lane'],
  manifests: ['contract', 'errors.ts', 'environment', 'lane'],
  render: ['errors.ts', 'lane', 'artifacts', 'manifests'],
  check: ['contract', 'errors.ts', 'environment', 'lane', 'artifacts', 'manifests', 'render'],
  output: ['errors.ts', 'check', 'render'],
  proof: ['errors.ts', 'lane', 'render'],
  gitops: ['contract', 'errors.ts', 'lane', 'artifacts', 'render', 'check'],
};

/** What may be imported from outside, beside the folders above: the effects and the heavy libraries have one place each. */
const OUTSIDE: readonly { module: RegExp; allowed: RegExp; why: string }[] = [
  {
    module: /^node:fs/,
    allowed:
      /^lib\/src\/(?:lane\/load-lane|output\/|gitops\/|processes\/|proof\/forbidden)|^(?:synth|manager|runner)\/src\//,
    why: 'files are read by load-lane, and written by output and gitops',
  },
  {
    module: /^node:(?:child_process|os|worker_threads|net|https?)$/,
    allowed: /^lib\/src\/(?:proof|gitops|output|processes)\/|^(?:manager|runner)\/src\//,
    why: 'processes belong to the proof and to git',
  },
  {
    module: /^yaml$/,
    allowed: /^lib\/src\/lane\/|^manager\/src\/config\/rendered-environment/,
    why: 'YAML is read by lane and by the manager that is given a rendered file, and written by render/yaml.ts',
  },
  {
    module: /^(?:cdk8s|cdk8s-plus-28|constructs)(?:\/|$)/,
    allowed: /^lib\/src\/manifests\//,
    why: 'objects are made in manifests',
  },
  {
    module: /^simple-git$/,
    allowed: /^lib\/src\/gitops\/|^runner\/src\/bundle\//,
    why: 'git belongs to gitops, and to the checkouts of the runner',
  },
  { module: /^pg$/, allowed: /^manager\/src\//, why: "the database is the manager's" },
  { module: /^@agentrun\//, allowed: /^(?:synth|manager|runner)\//, why: 'the library imports itself by path' },
];

/** Words that have one place, or none. */
const WORDS: readonly { pattern: RegExp; allowed: RegExp; why: string }[] = [
  {
    pattern: /\bprocess\.env\b/,
    allowed: /^lib\/src\/(?:proof|gitops)\/|^(?:manager|runner)\/src\/config\.ts$/,
    why: 'the environment is read at the rim',
  },
  {
    pattern: /\b(?:SELECT|INSERT INTO|UPDATE agentrun|DELETE FROM)\b/,
    allowed: /^manager\/src\/(?:store|db)\//,
    why: 'SQL belongs to the store',
  },
  {
    pattern: /\bprocess\.exit(?:Code)?\b/,
    allowed: /^(?:synth|manager|runner)\/src\/main\.ts$/,
    why: 'a process ends in main.ts',
  },
  {
    pattern: /\blocaleCompare\b|\btoLocale|\bIntl\./,
    allowed: /^lib\/src\/proof\//,
    why: 'the locale of a machine must not show',
  },
  {
    pattern: /\bMath\.random\b|\bDate\.now\b|\bnew Date\(\)/,
    allowed: /^lib\/src\/(?:proof|output|gitops|processes)\/|^(?:manager|runner)\//,
    why: 'rendering knows no clock and no chance',
  },
  { pattern: /\bas any\b|: any\b|@ts-ignore|@ts-expect-error/, allowed: /^$/, why: 'types are not switched off' },
];

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources: readonly Source[] = ['lib', 'synth', 'manager', 'runner'].flatMap((workspace) => {
  const folder = join(root, workspace, 'src');
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.gen.ts'))
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(path, 'utf8');
      const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, module = '']) => module);
      return { path: relative(root, path), text, imports };
    });
});

const code = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''");

const libFolder = (path: string): string => path.split('/')[2] ?? '';

describe('the house', () => {
  it('has sources to look at', () => {
    expect(sources.length).toBeGreaterThan(100);
  });

  it('imports only in the direction of the flow', () => {
    const wrong = sources
      .filter(({ path }) => path.startsWith('lib/src/') && !/^lib\/src\/(?:index|testing)\.ts$/.test(path))
      .flatMap(({ path, imports }) =>
        imports
          .filter((module) => module.startsWith('.'))
          .map((module) => libFolder(relative(root, resolve(root, dirname(path), module))))
          .filter((target) => target !== libFolder(path) && !(LIB[libFolder(path)] ?? []).includes(target))
          .map((target) => `${path} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it('knows every folder of the library', () => {
    const folders = new Set(
      sources.filter(({ path }) => path.startsWith('lib/src/')).map(({ path }) => libFolder(path)),
    );
    expect([...folders].filter((folder) => !(folder in LIB) && !['index.ts', 'testing.ts'].includes(folder))).toEqual(
      [],
    );
  });

  it.each(OUTSIDE)('imports $module only where it belongs: $why', ({ module, allowed }) => {
    const wrong = sources.filter(
      ({ path, imports }) => imports.some((name) => module.test(name)) && !allowed.test(path),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it.each(WORDS)('writes $pattern only where it belongs: $why', ({ pattern, allowed }) => {
    const wrong = sources.filter(({ path, text }) => pattern.test(code(text)) && !allowed.test(path));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('has no workspace that imports another but the library', () => {
    const wrong = sources
      .filter(({ path }) => !path.startsWith('lib/'))
      .flatMap(({ path, imports }) =>
        imports
          .filter((module) => /^@agentrun\/(?!lib)/.test(module) || /(?:^|\/)lib\/src\//.test(module))
          .map((module) => `${path} imports ${module}`),
      );
    expect(wrong).toEqual([]);
  });

  it('has no bucket', () => {
    const buckets = sources.filter(({ path }) =>
      /(?:^|\/)(?:utils?|common|helpers?|misc|types|interfaces)(?:\/|\.ts$)/.test(path),
    );
    expect(buckets.map(({ path }) => path)).toEqual([]);
  });

  it('has no file above 300 lines', () => {
    const long = sources.filter(({ text }) => text.split('\n').length > 301);
    expect(long.map(({ path }) => path)).toEqual([]);
  });
});

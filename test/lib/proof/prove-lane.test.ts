import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { placeholderArtifact } from '../../../lib/src/artifacts/artifact.ts';
import { PROOF_ENVIRONMENTS } from '../../../lib/src/proof/environments.ts';
import { proveLane } from '../../../lib/src/proof/prove-lane.ts';
import { renderLane } from '../../../lib/src/render/render-lane.ts';
import { contractLane } from '../../helpers/contract-lane.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const lane = contractLane({ deployment: { manager: { env: { CH: '1', H: '2', I: '3', AA: '4', Z: '5' } } } });
const rendered = renderLane(lane, { sourceCommit: COMMIT, artifact: placeholderArtifact(lane, COMMIT) });

mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
/** Below node_modules, so that the copies find their dependencies. */
const mutants = mkdtempSync(join(root, 'node_modules', '.cache', 'mutants-'));
writeFileSync(join(mutants, 'package.json'), '{"type":"module"}');
afterAll(() => rmSync(mutants, { recursive: true, force: true }));

/** A copy of the compiled library in which one thing is put into the render, as a careless change would. */
function mutant(name: string, file: string, before: string | RegExp, after: string): URL {
  const copy = join(mutants, name.replaceAll(' ', '-'));
  cpSync(join(root, 'lib', 'dist'), copy, { recursive: true });
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  const changed = source.replace(before, after);
  if (changed === source) throw new Error(`the mutant "${name}" changes nothing`);
  writeFileSync(path, changed);
  return pathToFileURL(join(copy, 'proof', 'worker.js'));
}

const compiled = pathToFileURL(join(root, 'lib', 'dist', 'proof', 'worker.js'));

describe('the proof of determinism', () => {
  it('covers at least 24 environments, all different', () => {
    expect(PROOF_ENVIRONMENTS.length).toBeGreaterThanOrEqual(24);
    expect(new Set(PROOF_ENVIRONMENTS.map((environment) => JSON.stringify(environment))).size).toBe(
      PROOF_ENVIRONMENTS.length,
    );
  });

  it('finds one digest for the renderer as it is', async () => {
    const proof = await proveLane(rendered, { worker: compiled });
    expect(proof).toEqual({ environments: PROOF_ENVIRONMENTS.length, renderings: PROOF_ENVIRONMENTS.length * 8 });
  });

  const inContent = (expression: string) =>
    [
      'render/yaml-file.js',
      /content: yamlDocuments\(objects\),/,
      `content: yamlDocuments(objects) + "# " + ${expression} + "\\n",`,
    ] as const;

  it.each([
    ['a clock', ...inContent('Date.now()'), /used the clock \(Date\.now\)/],
    ['a date', ...inContent('new Date().toISOString()'), /used the clock/],
    ['a random number', ...inContent('Math.random()'), /used a random number \(Math\.random\)/],
    ['an environment variable', ...inContent('(process.env.HOME ?? "none")'), /used the environment \(HOME\)/],
    [
      'a locale sort',
      'manifests/manager-environment.js',
      'a < b ? -1 : a > b ? 1 : 0',
      'a.localeCompare(b)',
      /used the locale \(localeCompare\)/,
    ],
    [
      'the order of a directory',
      ...inContent('process.getBuiltinModule("node:fs").readdirSync("/").join()'),
      /used the file system \(fs\.readdirSync\)/,
    ],
    [
      'the order of keys',
      'manifests/manager-environment.js',
      'Object.keys(map).sort(byCodeUnit)',
      'Object.keys(map)',
      /mgr\.yaml differs between two renderings/,
    ],
    [
      'a counter that lives on',
      'render/yaml-file.js',
      /content: yamlDocuments\(objects\),/,
      'content: yamlDocuments(objects) + "# " + (globalThis.n = (globalThis.n ?? 0) + 1) + "\\n",',
      /differs between two renderings/,
    ],
    [
      'the time zone',
      ...inContent('new Date(0).getTimezoneOffset()'),
      /differs between two renderings, in LC_ALL=C TZ=Asia/,
    ],
    ['the file mode mask', ...inContent('process.umask()'), /differs between two renderings, in .* umask 0/],
  ] as const)('catches %s in the render', async (name, file, before, after, message) => {
    const worker = mutant(name, file, before, after);
    await expect(proveLane(rendered, { worker })).rejects.toMatchObject({
      code: 'not-deterministic',
      message: expect.stringMatching(message) as string,
    });
  });

  it('says so when its process fails', async () => {
    const worker = mutant('broken', 'proof/worker.js', /^/, 'throw new Error("no worker");\n');
    await expect(proveLane(rendered, { worker })).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('no worker') as string,
    });
  });
});

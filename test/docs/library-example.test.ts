import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks } from '../helpers/markdown-blocks.ts';
import { installPackedLibrary } from '../helpers/packed-library.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';

const example = join(REPOSITORY, 'test', 'fixtures', 'library-example', 'render-lane.mjs');

describe.each(['docs/library.md', 'README.md'])('the example of %s', (page) => {
  it('is the file that the tests run, character by character', () => {
    const blocks = codeBlocks(readFileSync(join(REPOSITORY, page), 'utf8'));
    expect(blocks.map(({ text }) => text)).toContain(readFileSync(example, 'utf8'));
  });
});

describe('the packed library in an empty project', () => {
  let folder = '';
  let project = '';
  let packed: string[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'agentrun-library-'));
    project = join(folder, 'project');
    packed = installPackedLibrary(folder);
    copyFileSync(example, join(project, 'render-lane.mjs'));
    copyFileSync(example, join(project, 'render-lane.mts'));
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const node = (...args: string[]) => execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8' });

  it('holds compiled files, licence and notes, no sources, maps and build records', () => {
    const foreign = packed.filter((path) => !/^dist\/.*\.(?:js|d\.ts)$/.test(path));
    expect(foreign.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
    expect(packed).toContain('dist/index.js');
  });

  it('runs the example, which writes the lane and prints its digest', () => {
    expect(node('render-lane.mjs')).toMatch(/^v0\.1 sha256:[0-9a-f]{64}\n$/);
    expect(readdirSync(join(project, 'rendered')).sort()).toEqual(['control-plane.yaml', 'deploy', 'source.json']);
  });

  it('refuses a wrong lane with all its problems and the code of the first', () => {
    const lane = readFileSync(join(project, 'lanes', 'v0.1.yaml'), 'utf8');
    mkdirSync(join(project, 'wrong'));
    writeFileSync(join(project, 'wrong', 'v0.1.yaml'), lane.replace('idleTimeoutMs: 120000', 'idleTimeoutMs: 2m'));
    const script = `import { loadLane } from '@agentrun/lib';
      import { AgentRunError } from '@agentrun/lib/errors';
      const error = await loadLane('wrong/v0.1.yaml').catch((thrown) => thrown);
      console.log(error instanceof AgentRunError, error.code, error.problems.length);`;
    writeFileSync(join(project, 'wrong.mjs'), script);
    expect(node('wrong.mjs')).toBe('true lane-type 1\n');
  });

  it('runs every other piece of code of the page', () => {
    const blocks = codeBlocks(readFileSync(join(REPOSITORY, 'docs', 'library.md'), 'utf8'));
    const pieces = blocks.filter(({ language, text }) => language === 'js' && text !== readFileSync(example, 'utf8'));
    expect(pieces.length).toBeGreaterThan(0);
    for (const { text } of pieces) {
      writeFileSync(join(project, 'piece.mjs'), `${text}console.log(manager.spec.replicas);\n`);
      expect(node('piece.mjs')).toBe('2\n');
    }
  });

  it('gives builders for tests, and the reader of the environment, by their own paths', () => {
    const script = `import { aLane, renderToObjects } from '@agentrun/lib/testing';
      import { readManagerConfig } from '@agentrun/lib/environment';
      console.log(renderToObjects(aLane({ version: 'v0.7' })).length > 20, typeof readManagerConfig);`;
    writeFileSync(join(project, 'subpaths.mjs'), script);
    expect(node('subpaths.mjs')).toBe('true function\n');
  });

  it('has types with which the example, as TypeScript, is right, and a mistake is not', () => {
    const mistake =
      "import { loadLane } from '@agentrun/lib';\nexport const port: string = (await loadLane('x')).lane.runtime.managerPort;\n";
    writeFileSync(join(project, 'mistake.mts'), mistake);
    const tsc = (file: string): string => {
      const config = {
        compilerOptions: {
          target: 'es2023',
          module: 'nodenext',
          strict: true,
          exactOptionalPropertyTypes: true,
          skipLibCheck: true,
          noEmit: true,
          typeRoots: [join(REPOSITORY, 'node_modules', '@types')],
          types: ['node'],
        },
        files: [file],
      };
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
      try {
        return node(join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.');
      } catch (error) {
        return String((error as { stdout?: unknown }).stdout);
      }
    };
    expect(tsc('render-lane.mts')).toBe('');
    expect(tsc('mistake.mts')).toMatch(
      /^mistake\.mts\(2,14\): error TS2322: Type 'number' is not assignable to type 'string'/,
    );
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AgentRunError, ERROR_CODES } from '../../lib/src/errors.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';

const sources = ['lib/src', 'lib/scripts', 'synth/src'].flatMap((folder) =>
  readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.gen.ts') && name !== 'errors.ts')
    .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(join(REPOSITORY, folder, name), 'utf8') })),
);
const codes = Object.keys(ERROR_CODES);

/** Texts that stand where a code belongs. */
const USES = [
  /new AgentRunError\(\s*'([^']+)'/g,
  /\bcode(?:: |: ?[A-Za-z]+ = | = )'([^']+)'/g,
  /\bfindingAt\([^,()]+,\s*'([^']+)'/g,
];
/** Texts that begin as a family of codes does. */
const FAMILY = /'((?:lane|environment|artifact|source-commit|repository|output)-[a-z]+(?:-[a-z]+)*)'/g;

describe('the table of error codes', () => {
  it.each(codes)('has "%s" because something uses it', (code) => {
    expect(sources.filter(({ text }) => text.includes(`'${code}'`)).length).toBeGreaterThan(0);
  });

  it('has every code that the sources use', () => {
    const unknown = sources.flatMap(({ path, text }) =>
      [...USES, FAMILY]
        .flatMap((use) => [...text.matchAll(use)].map(([, code = '']) => code))
        .filter((code) => !codes.includes(code))
        .map((code) => `${path}: ${code}`),
    );
    expect(unknown).toEqual([]);
  });

  it('is in kebab-case, and each next step is one or more sentences', () => {
    for (const [code, step] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
      expect(step).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe('an error', () => {
  it('has the next step of its code, and one problem with its message, when nothing else is said', () => {
    const error = new AgentRunError('usage', 'no lane is named');
    expect(error.hint).toBe(ERROR_CODES.usage);
    expect(error.problems).toEqual([{ code: 'usage', severity: 'error', message: 'no lane is named' }]);
  });

  it('keeps its cause and a better next step', () => {
    const cause = new Error('disk full');
    const error = new AgentRunError('output-write', 'cannot write', { cause, hint: 'Free some space.' });
    expect(error.cause).toBe(cause);
    expect(error.hint).toBe('Free some space.');
    expect(error.problems[0]?.hint).toBe('Free some space.');
  });
});

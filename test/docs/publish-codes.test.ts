import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../lib/src/errors.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';

const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');
const codesIn = (text: string): string[] => [...text.matchAll(/^\| `([a-z-]+)`/gm)].map(([, code = '']) => code);
const section = (text: string, title: string): string =>
  text.split(/^## /m).find((part) => part.startsWith(title)) ?? '';

const explained = codesIn(section(read('docs/publish.md'), 'When it fails'));

describe('the page on publishing', () => {
  it('explains every code of the GitOps branch and of verify', () => {
    const all = ['The GitOps branch', 'What verify finds on the branch'].flatMap((title) =>
      codesIn(section(read('docs/errors.md'), title)),
    );
    expect(all.length).toBeGreaterThan(20);
    expect(all.filter((code) => !explained.includes(code))).toEqual([]);
  });

  it('explains no code that does not exist, and none twice', () => {
    expect(explained.filter((code) => !(code in ERROR_CODES))).toEqual([]);
    expect(new Set(explained).size).toBe(explained.length);
  });

  it('explains every status that verify has', () => {
    const verify = section(read('docs/publish.md'), 'Verify');
    const source = read('lib/src/gitops/verify.ts');
    const [, type = ''] = /type VerifyStatus = ([^;]+);/.exec(source) ?? [];
    const statuses = [...type.matchAll(/'([a-z-]+)'/g)].map(([, status = '']) => status);
    expect(statuses).toHaveLength(4);
    expect(statuses.filter((status) => !verify.includes(`| \`${status}\``))).toEqual([]);
  });
});

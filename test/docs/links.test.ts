import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pages } from '../helpers/pages.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';

const all = pages();
const withoutCode = (text: string): string => text.replaceAll(/^```[^]*?^```$/gm, '');

/** The anchors that headings get. */
const anchors = (text: string): string[] =>
  [...withoutCode(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe.each(all)('$path', ({ path, text }) => {
  it('links only to files and headings that exist', () => {
    const broken = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const full = file === '' ? join(REPOSITORY, path) : join(REPOSITORY, dirname(path), file);
        if (!existsSync(full)) return true;
        return anchor !== undefined && !anchors(readFileSync(full, 'utf8')).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('names only paths of this repository that exist', () => {
    const named = [...withoutCode(text).matchAll(/`((?:lib|synth|test|docs|lanes|templates)\/[^`\s]*)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !/[<>*{}]/.test(name) && !name.startsWith('lib/dist'));
    expect(named.filter((name) => !existsSync(join(REPOSITORY, name)))).toEqual([]);
  });
});

describe('the index of the pages', () => {
  it('names each of them', () => {
    const index = readFileSync(join(REPOSITORY, 'docs', 'README.md'), 'utf8');
    const missing = all
      .map(({ path }) => relative('docs', path))
      .filter((path) => !path.startsWith('..') && path !== 'README.md')
      .filter((path) => !index.includes(`](${path})`));
    expect(missing).toEqual([]);
  });
});

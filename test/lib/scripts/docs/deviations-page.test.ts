import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deviationsPage } from '../../../../lib/scripts/docs/deviations-page.ts';
import { REPOSITORY } from '../../../helpers/repository-root.ts';
import { readDeviations } from '../../../helpers/undo-deviations.ts';

describe('the page of deviations', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agentrun-deviations-'));
    mkdirSync(join(folder, 'docs'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('has a row for each deviation, with its flaw and its objects in words', async () => {
    const page = await deviationsPage(REPOSITORY);
    for (const { id, flaw, objects } of readDeviations(REPOSITORY)) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${id}\` | [${flaw}](#flaws) |`));
      for (const object of objects) {
        expect(row).toContain(`\`${object}\``);
        expect(page).toMatch(new RegExp(`\\n\\| \`${object.replaceAll('.', '\\.')}\` \\| [A-Za-z]`));
      }
      expect(page).toMatch(new RegExp(`\\n\\| ${flaw} \\| [A-Z]`));
    }
  });

  it.each([
    ['a flaw', { flaw: 99, objects: ['K1'] }, /no words for the flaw 99/],
    ['an object', { flaw: 31, objects: ['K99'] }, /no words for the object K99/],
  ])('refuses a row with %s that nobody explained', async (_what, row, message) => {
    cpSync(join(REPOSITORY, 'docs', 'deviations.yaml'), join(folder, 'docs', 'deviations.yaml'));
    const extra = JSON.stringify([{ id: 'extra', change: 'Something.', undo: [], ...row }]).slice(1, -1);
    writeFileSync(join(folder, 'docs', 'deviations.yaml'), `\n- ${extra}\n`, { flag: 'a' });
    await expect(deviationsPage(folder)).rejects.toThrow(message);
  });

  it('refuses words that no row needs', async () => {
    writeFileSync(join(folder, 'docs', 'deviations.yaml'), '- { id: one, flaw: 31, objects: [K1], change: Labels. }\n');
    await expect(deviationsPage(folder)).rejects.toThrow(/no deviation names the flaw 4/);
  });
});

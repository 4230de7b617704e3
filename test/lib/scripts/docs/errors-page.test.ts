import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeGroups, errorsPage } from '../../../../lib/scripts/docs/errors-page.ts';
import { ERROR_CODES } from '../../../../lib/src/errors.ts';
import { REPOSITORY } from '../../../helpers/repository-root.ts';

const source = readFileSync(join(REPOSITORY, 'lib', 'src', 'errors.ts'), 'utf8');

describe('the page of error codes', () => {
  it('has each code once, with its next step', async () => {
    const page = await errorsPage(REPOSITORY);
    for (const [code, step] of Object.entries(ERROR_CODES)) {
      expect(page.split('\n').filter((line) => line === `| \`${code}\` | ${step} |`)).toHaveLength(1);
    }
  });

  it('takes its groups from the comments of the table', () => {
    const groups = codeGroups(source);
    expect(groups.map(({ title }) => title)).toContain('The lane file');
    expect(groups.find(({ title }) => title === 'The output')?.codes).toContain('output-schema');
  });

  it('refuses a table that it would read in part', () => {
    expect(() => codeGroups(source.replace("  'lane-tag'", '  ["lane-tag"]'))).toThrow(/does not understand/);
  });
});

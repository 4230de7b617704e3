import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { VERSION } from '../../manager/src/version.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';

it('tells the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'manager/package.json'), 'utf8')) as { version: string };
  expect(VERSION).toBe(version);
});

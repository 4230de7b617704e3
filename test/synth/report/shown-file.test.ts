import { expect, it } from 'vitest';
import { shownFile } from '../../../synth/src/report/shown-file.ts';

it.each([
  ['/repo/lanes/a.yaml', 'lanes/a.yaml'],
  ['/repo/..a.yaml', '..a.yaml'],
  ['/repository/a.yaml', '/repository/a.yaml'],
  ['/a.yaml', '/a.yaml'],
  ['/repo', '/repo'],
  ['lanes/a.yaml', 'lanes/a.yaml'],
  ['./lanes/a.yaml', 'lanes/a.yaml'],
  ['../a.yaml', '../a.yaml'],
])('%s is shown as %s', (file, shown) => {
  expect(shownFile(file, '/repo')).toBe(shown);
});

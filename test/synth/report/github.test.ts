import { expect, it } from 'vitest';
import { ERROR_CODES } from '../../../lib/src/errors.ts';
import { formatReport } from '../../../synth/src/report/index.ts';
import { fullProblem, outsideProblem, problems } from '../../fixtures/reports/problems.ts';

const github = (list: typeof problems) =>
  formatReport({ command: 'check', ok: false, lanes: [{ lane: 'v0.1', status: 'failed' }], problems: list }, 'github', {
    colour: true,
    cwd: '/repo',
  });

it('prints a workflow command for each problem, escaped', () => {
  expect(github(problems).split('\n')).toEqual([
    '::error file=lanes/v0.1.yaml,line=57,col=22,endLine=57,endColumn=23,title=lane-range::deployment.runner.idleTimeoutMs is 5; 1000 to 86400000 is allowed.%0Afield: deployment.runner.idleTimeoutMs%0Aobject: Deployment/agentrun-mgr%0Apointer: /spec/template/spec/containers/0/env/3%0Ahint: Give the time in milliseconds.',
    `::warning title=repository-dirty::The repository has changes that are not committed.%0Ahint: ${ERROR_CODES['repository-dirty']}`,
    `::error file=lanes/a b%2Cc%3Ad%25é#1.yaml,line=2,endLine=4,title=lane-character::metadata.name holds "\\u001b[31m" and "\\u202e": 100%25, \ttabs,%0A%0Alines: two%0Aand three%0Ahint: ${ERROR_CODES['lane-character']}`,
    `::error file=lanes/v0.1.yaml,title=lane-empty::The lane file is empty.%0Aobject: Pipeline/build%0Ahint: ${ERROR_CODES['lane-empty']}`,
    `::warning file=/else where/record.json,line=3,endLine=3,title=artifact-invalid::No digest.%0Ahint: ${ERROR_CODES['artifact-invalid']}`,
    '',
  ]);
});

it('cannot be made to print a second command', () => {
  const message = 'a\n::stop-commands::x\r::set-output name=a::b';
  const [line = '', ...rest] = github([{ ...fullProblem, message, file: 'a\n::debug::b\r\n,line=1.yaml' }]).split('\n');
  expect(rest).toEqual(['']);
  expect(line).not.toContain('\r');
  expect(line).toMatch(/^::error file=a%0A%3A%3Adebug%3A%3Ab%0D%0A%2Cline=1\.yaml,line=57,/);
  expect(line).toContain('::a%0A::stop-commands::x%0A::set-output');
});

it('gives the escaped text back when it is read as GitHub reads it', () => {
  const message = '100% of %0A and %25, a:b,c';
  const data =
    github([{ ...outsideProblem, message }])
      .trimEnd()
      .split('::')
      .at(-1) ?? '';
  const read = data.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
  expect(read.split('\n')[0]).toBe(message);
});

it('is empty without problems', () => {
  expect(github([])).toBe('');
});

it('has no space at the end of a line', () => {
  expect(github(problems)).not.toMatch(/[ \t\r]\n/);
});

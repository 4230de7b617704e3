import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../lib/src/errors.ts';
import { formatReport, type Report } from '../../../synth/src/report/index.ts';
import { fullProblem, outsideProblem, placelessProblem, problems } from '../../fixtures/reports/problems.ts';

const options = { colour: false, cwd: '/repo' };
const report = (parts: Partial<Report>): Report => ({ command: 'check', ok: false, lanes: [], problems: [], ...parts });
const text = (parts: Partial<Report>, colour = false) => formatReport(report(parts), 'text', { ...options, colour });

describe('the text report', () => {
  it('groups the problems by file and closes with the counts', () => {
    expect(text({ problems })).toBe(
      `lanes/v0.1.yaml:57:22: error[lane-range] deployment.runner.idleTimeoutMs is 5; 1000 to 86400000 is allowed.
  field: deployment.runner.idleTimeoutMs
  object: Deployment/agentrun-mgr
  pointer: /spec/template/spec/containers/0/env/3
  56 |   runner:
  57 |     idleTimeoutMs: 5
     |                    ^
  hint: Give the time in milliseconds.

lanes/v0.1.yaml: error[lane-empty] The lane file is empty.
  object: Pipeline/build
  hint: ${ERROR_CODES['lane-empty']}

lanes/a b,c:d%é#1.yaml:2:3: error[lane-character] metadata.name holds "\\u001b[31m" and "\\u202e": 100%, \ttabs,

  lines: two
  and three
  hint: ${ERROR_CODES['lane-character']}

/else where/record.json:3: warning[artifact-invalid] No digest.
  hint: ${ERROR_CODES['artifact-invalid']}

warning[repository-dirty] The repository has changes that are not committed.
  hint: ${ERROR_CODES['repository-dirty']}

3 errors, 2 warnings in 3 files
`,
    );
  });

  it('has a line for each lane', () => {
    const lanes = [
      {
        lane: 'v0.1',
        status: 'published',
        files: ['a', 'b'],
        commit: '1'.repeat(40),
        filesDigest: 'sha256:f',
        objectsDigest: 'sha256:o',
      },
      { lane: 'v0.2', status: 'unchanged', files: ['a'] },
      { lane: 'v0.3', status: 'refused' },
    ];
    expect(text({ ok: true, lanes })).toBe(
      `lane v0.1: published, 2 files, commit ${'1'.repeat(40)}, files sha256:f, objects sha256:o
lane v0.2: unchanged, 1 file
lane v0.3: refused
`,
    );
    expect(text({ lanes: lanes.slice(2), problems: [placelessProblem] })).toBe(
      `warning[repository-dirty] The repository has changes that are not committed.
  hint: ${ERROR_CODES['repository-dirty']}

lane v0.3: refused

1 warning
`,
    );
  });

  it('counts one thing as one', () => {
    expect(text({ problems: [fullProblem] })).toMatch(/\n\n1 error in 1 file\n$/);
    expect(text({ problems: [outsideProblem, outsideProblem] })).toMatch(/\n\n2 warnings in 1 file\n$/);
  });

  it('is empty when there is nothing to say', () => {
    expect(text({ ok: true })).toBe('');
  });

  it('has colours only when asked', () => {
    expect(text({ problems: [outsideProblem] }, true)).toBe(
      `\u001b[1m/else where/record.json:3:\u001b[0m \u001b[1;33mwarning[artifact-invalid]\u001b[0m No digest.
  \u001b[36mhint:\u001b[0m ${ERROR_CODES['artifact-invalid']}

1 warning in 1 file
`,
    );
    expect(text({ problems: [fullProblem] }, true)).toContain('\u001b[1;31merror[lane-range]\u001b[0m');
    expect(text({ problems })).not.toContain('\u001b');
    const parts = text({ problems }, true).split('\u001b');
    expect(parts.map((part, index) => (index === 0 ? part : part.replace(/^\[[0-9;]+m/, ''))).join('')).toBe(
      text({ problems }),
    );
  });

  it('keeps a file name with a line ending on one line', () => {
    const problem = { ...outsideProblem, file: 'a\nb\r.yaml' };
    expect(text({ problems: [problem] }).split('\n')[0]).toBe(
      'a\\u000ab\\u000d.yaml:3: warning[artifact-invalid] No digest.',
    );
  });

  it('has no space at the end of a line and no other line ending', () => {
    for (const colour of [false, true]) {
      expect(text({ problems, lanes: [{ lane: 'v0.1', status: 'failed' }] }, colour)).not.toMatch(/[ \t\r]\n|\r| $/);
    }
  });
});

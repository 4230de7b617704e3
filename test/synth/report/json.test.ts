import { expect, it } from 'vitest';
import { formatReport } from '../../../synth/src/report/index.ts';
import { fullProblem, placelessProblem, problems, specialProblem } from '../../fixtures/reports/problems.ts';

const options = { colour: true, cwd: '/repo' };

it('prints the members in their order, whatever the order given, and no frame', () => {
  const lane = {
    commit: '1'.repeat(40),
    objectsDigest: 'sha256:o',
    files: ['b', 'a'],
    status: 'published',
    filesDigest: 'sha256:f',
    lane: 'v0.1',
  };
  const backwards = Object.fromEntries(Object.entries(fullProblem).toReversed()) as unknown as typeof fullProblem;
  const report = {
    problems: [backwards, placelessProblem],
    lanes: [lane, { lane: 'v0.2', status: 'refused' }],
    ok: false,
    command: 'publish',
  };
  expect(formatReport(report, 'json', options)).toBe(`{
  "formatVersion": 1,
  "command": "publish",
  "ok": false,
  "lanes": [
    {
      "lane": "v0.1",
      "status": "published",
      "filesDigest": "sha256:f",
      "objectsDigest": "sha256:o",
      "files": [
        "b",
        "a"
      ],
      "commit": "1111111111111111111111111111111111111111"
    },
    {
      "lane": "v0.2",
      "status": "refused"
    }
  ],
  "problems": [
    {
      "code": "lane-range",
      "severity": "error",
      "message": "deployment.runner.idleTimeoutMs is 5; 1000 to 86400000 is allowed.",
      "file": "lanes/v0.1.yaml",
      "line": 57,
      "column": 22,
      "endLine": 57,
      "endColumn": 23,
      "lanePath": "deployment.runner.idleTimeoutMs",
      "object": "Deployment/agentrun-mgr",
      "pointer": "/spec/template/spec/containers/0/env/3",
      "hint": "Give the time in milliseconds."
    },
    {
      "code": "repository-dirty",
      "severity": "warning",
      "message": "The repository has changes that are not committed."
    }
  ]
}
`);
});

it('is one JSON document that gives messages back as they are', () => {
  const text = formatReport({ command: 'check', ok: true, lanes: [], problems }, 'json', options);
  const document: unknown = JSON.parse(text);
  expect(document).toMatchObject({
    ok: true,
    lanes: [],
    problems: problems.map(({ message, code }) => ({ message, code })),
  });
  expect(document).toHaveProperty('problems.2.message', specialProblem.message);
  expect(text).not.toMatch(/[ \t\r]\n/);
  expect(text.endsWith('}\n')).toBe(true);
});

it('prints empty lists when there is nothing', () => {
  expect(formatReport({ command: 'synth', ok: true, lanes: [], problems: [] }, 'json', options)).toBe(
    '{\n  "formatVersion": 1,\n  "command": "synth",\n  "ok": true,\n  "lanes": [],\n  "problems": []\n}\n',
  );
});

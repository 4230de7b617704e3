import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type Problem } from '../../../lib/src/errors.ts';
import { formatReport } from '../../../synth/src/report/index.ts';
import { fullProblem, placelessProblem, problems } from '../../fixtures/reports/problems.ts';
import { SARIF_SUBSET } from '../../fixtures/reports/sarif-subset.ts';

const sarif = (list: readonly Problem[]) =>
  formatReport({ command: 'check', ok: false, lanes: [], problems: list }, 'sarif', { colour: true, cwd: '/repo' });
const results = (list: readonly Problem[]): Record<string, unknown>[] => JSON.parse(sarif(list)).runs[0].results;
const validate = new Ajv2020({ allErrors: true, strict: true, strictRequired: true }).compile(SARIF_SUBSET);

describe('the SARIF report', () => {
  it('has exactly this form', () => {
    expect(sarif([fullProblem, placelessProblem])).toBe(`{
  "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
  "version": "2.1.0",
  "runs": [
    {
      "tool": {
        "driver": {
          "name": "agentrun",
          "rules": [
            {
              "id": "lane-range",
              "shortDescription": {
                "text": "Lane range."
              },
              "fullDescription": {
                "text": "${ERROR_CODES['lane-range']}"
              },
              "help": {
                "text": "${ERROR_CODES['lane-range']}"
              }
            },
            {
              "id": "repository-dirty",
              "shortDescription": {
                "text": "Repository dirty."
              },
              "fullDescription": {
                "text": "${ERROR_CODES['repository-dirty']}"
              },
              "help": {
                "text": "${ERROR_CODES['repository-dirty']}"
              }
            }
          ]
        }
      },
      "automationDetails": {
        "id": "agentrun/check/"
      },
      "columnKind": "unicodeCodePoints",
      "results": [
        {
          "ruleId": "lane-range",
          "ruleIndex": 0,
          "level": "error",
          "message": {
            "text": "deployment.runner.idleTimeoutMs is 5; 1000 to 86400000 is allowed.\\nHint: Give the time in milliseconds."
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "lanes/v0.1.yaml",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "startLine": 57,
                  "startColumn": 22,
                  "endLine": 57,
                  "endColumn": 23
                }
              },
              "logicalLocations": [
                {
                  "fullyQualifiedName": "deployment.runner.idleTimeoutMs",
                  "kind": "property"
                },
                {
                  "name": "Deployment/agentrun-mgr",
                  "fullyQualifiedName": "Deployment/agentrun-mgr#/spec/template/spec/containers/0/env/3",
                  "kind": "resource"
                }
              ]
            }
          ]
        },
        {
          "ruleId": "repository-dirty",
          "ruleIndex": 1,
          "level": "warning",
          "message": {
            "text": "The repository has changes that are not committed."
          }
        }
      ]
    }
  ]
}
`);
  });

  it.each([
    ['every kind of problem', problems],
    ['no problem', []],
    ['an object without a file', [{ ...placelessProblem, object: 'Pod/a' }]],
    ['a pointer without an object', [{ ...placelessProblem, pointer: '/a' }]],
    ['the pointer of the whole object', [{ ...placelessProblem, pointer: '' }]],
    ['half of a surrogate pair in a file name', [{ ...fullProblem, file: 'a\ud800.yaml' }]],
  ] satisfies [string, readonly Problem[]][])('is valid for %s', (_, list) => {
    validate(JSON.parse(sarif(list)));
    expect(validate.errors ?? []).toEqual([]);
  });

  it('names each rule once, sorted, and every result points at its rule', () => {
    const run = JSON.parse(sarif([...problems, ...problems.toReversed()])).runs[0];
    const ids = run.tool.driver.rules.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(['artifact-invalid', 'lane-character', 'lane-empty', 'lane-range', 'repository-dirty']);
    expect(run.results).toHaveLength(10);
    for (const { ruleId, ruleIndex } of run.results) expect(ids[ruleIndex]).toBe(ruleId);
  });

  it('encodes file names as URIs: relative below the working directory, whole outside', () => {
    const uris = [
      'lanes/a b,c:d%é#1?.yaml',
      './x.yaml',
      '../y.yaml',
      '/repo/z.yaml',
      '/else where/w.yaml',
      'a\\b.yaml',
    ].map((file) => results([{ ...fullProblem, file }])[0]);
    const at = (uri: string) => ({
      locations: [{ physicalLocation: { artifactLocation: { uri, uriBaseId: '%SRCROOT%' } } }],
    });
    expect(uris).toMatchObject([
      at('lanes/a%20b%2Cc%3Ad%25%C3%A9%231%3F.yaml'),
      at('x.yaml'),
      at('../y.yaml'),
      at('z.yaml'),
      { locations: [{ physicalLocation: { artifactLocation: { uri: 'file:///else%20where/w.yaml' } } }] },
      at('a%5Cb.yaml'),
    ]);
    expect(uris[4]).not.toHaveProperty('locations.0.physicalLocation.artifactLocation.uriBaseId');
  });

  it('leaves out the region when there is no line', () => {
    const { column: _, line: __, ...noLine } = fullProblem;
    expect(results([noLine])[0]).not.toHaveProperty('locations.0.physicalLocation.region');
    expect(results([noLine])[0]).toHaveProperty('locations.0.physicalLocation.artifactLocation.uri', 'lanes/v0.1.yaml');
  });

  it('writes line endings in a message as LF', () => {
    expect(results([{ ...placelessProblem, message: 'a\r\nb\rc' }])[0]).toMatchObject({ message: { text: 'a\nb\nc' } });
  });
});

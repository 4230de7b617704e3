import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import jsYaml from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { yamlDocument, yamlDocuments } from '../../../lib/src/render/yaml.ts';
import { isSafeText } from '../../../lib/src/render/yaml-scalar.ts';
import { hasCommand } from '../../helpers/has-command.ts';

/** Texts that one reader or another takes for something else when they stand without quotes. */
const TRAPS = [
  ...[
    '',
    ' ',
    '~',
    'null',
    'Null',
    'NULL',
    'true',
    'True',
    'TRUE',
    'false',
    'y',
    'Y',
    'n',
    'N',
    'yes',
    'Yes',
    'no',
    'NO',
  ],
  ...[
    'on',
    'ON',
    'off',
    'Off',
    '.nan',
    '.NaN',
    '.inf',
    '-.inf',
    '+.INF',
    '0',
    '-0',
    '+1',
    '1',
    '010',
    '0o14',
    '0O14',
    '0x1F',
  ],
  ...['0b11', '0B1', '1_000', '0.1e1_0', '1e3', '1E+3', '.5', '5.', '12:30', '12:30:45', '190:20:30.15', '2001-12-14'],
  ...[
    '2001-12-14t21:59:43.10-05:00',
    '=',
    '<<',
    '- a',
    '-',
    '---',
    '...',
    '? a',
    ': a',
    'a: b',
    'a:',
    ':a',
    'a #b',
    '#a',
  ],
  ...[
    '&a',
    '*a',
    '!a',
    '!!str a',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
    '"a"',
    "'a'",
    "it's",
    '[a]',
    '{a: b}',
    ', a',
    'a,b',
    'a ',
    ' a',
  ],
  ...[
    '\ta',
    'a\t',
    'a\tb',
    'a\nb',
    'a\nb\n',
    'a\n\nb\n',
    'a\n\n',
    '\na',
    '\n',
    ' a\nb',
    '\ta\nb',
    'a\n b\n',
    'a\n\tb\n',
    'a \nb',
  ],
  ...[
    'a\rb',
    'a\r\nb',
    '#!/bin/sh\nset -eu\necho "$(date)" # x\n',
    'http://host:8080/path',
    'host:8080',
    'key=value',
    'ü',
    '日本',
    '😀',
  ],
  ...[
    '20Gi',
    '250m',
    '10m0s',
    '1.0',
    '1.2.3',
    'v0.1',
    '$(params.x)',
    '${HOME}',
    'a\\b',
    'sha256:00',
    '123e4',
    '__proto__',
    'constructor',
  ],
];

/** Strings of every kind, with the traps among them. */
const anyText = fc.oneof(
  fc.constantFrom(...TRAPS),
  fc.string({ unit: 'grapheme', maxLength: 24 }),
  fc.string({ unit: fc.constantFrom(...' \t\n:#-?,[]{}&*!|>\'"%@`=<~0123456789abcEeXxOo._+yYnN'), maxLength: 12 }),
);
const text = anyText.filter((value) => isSafeText(value));
const scalar = fc.oneof(text, fc.boolean(), fc.constant(null), fc.integer(), fc.maxSafeInteger());
const value = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(text, tie('node'), { maxKeys: 4 }),
  ),
})).node;
const object = fc.dictionary(text, value, { minKeys: 1, maxKeys: 5 });

const plain = (input: unknown): unknown => JSON.parse(JSON.stringify(input));

describe('the YAML writer', () => {
  it('writes block style with apiVersion, kind and metadata first, and all else by code unit', () => {
    const written = yamlDocument({
      spec: { b: [{ z: 1, a: 'x' }, 'y', [], {}], B: 'on', empty: {}, none: [] },
      kind: 'Thing',
      metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'x' } },
      apiVersion: 'v1',
      data: { script: '#!/bin/sh\necho hi\n' },
    });
    expect(written).toBe(
      [
        'apiVersion: v1',
        'kind: Thing',
        'metadata:',
        '  labels:',
        '    app.kubernetes.io/name: x',
        '  name: a',
        'data:',
        '  script: |',
        '    #!/bin/sh',
        '    echo hi',
        'spec:',
        '  B: "on"',
        '  b:',
        '    - a: x',
        '      z: 1',
        '    - "y"',
        '    - []',
        '    - {}',
        '  empty: {}',
        '  none: []',
        '',
      ].join('\n'),
    );
  });

  it('joins documents by a line of three dashes, none first and none last', () => {
    expect(yamlDocuments([{ a: 1 }, { b: 2 }])).toBe('a: 1\n---\nb: 2\n');
  });

  it('leaves out undefined and keeps null', () => {
    expect(yamlDocument({ a: undefined, b: null, c: [null] })).toBe('b: null\nc:\n  - null\n');
  });

  it.each([
    ['yaml 1.1', (source: string) => parse(source, { version: '1.1', merge: false })],
    ['yaml 1.2', (source: string) => parse(source, { version: '1.2' })],
    ['js-yaml', (source: string) => jsYaml.load(source)],
  ] as const)('is read back alike by %s', (_name, read) => {
    fc.assert(
      fc.property(object, (input) => {
        expect(plain(read(yamlDocument(input)))).toEqual(plain(input));
      }),
      { numRuns: 2000, seed: 20261 },
    );
  });

  it('is read back document by document', () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), (inputs) => {
        const read = parseAllDocuments(yamlDocuments(inputs)).map((document) => plain(document.toJS()));
        expect(read).toEqual(inputs.map(plain));
      }),
      { numRuns: 200, seed: 20262 },
    );
  });

  it('depends on no order of keys', () => {
    fc.assert(
      fc.property(object, (input) => {
        const reversed = JSON.parse(JSON.stringify(input)) as Record<string, unknown>;
        expect(yamlDocument(Object.fromEntries(Object.entries(reversed).reverse()))).toBe(yamlDocument(reversed));
      }),
      { numRuns: 500, seed: 20263 },
    );
  });

  it.each(['\u0000', '\u0007', '\u001b', '\u007f', '\u0085', '\u2028', '\u2029', '\ufeff', '\ud800', 'x\udc00y'])(
    'refuses %j',
    (bad) => {
      expect(() => yamlDocument({ a: bad })).toThrow(expect.objectContaining({ code: 'output-text' }));
      expect(() => yamlDocument({ [`k${bad}`]: 1 })).toThrow(expect.objectContaining({ code: 'output-text' }));
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-7, 2 ** 60])('refuses the number %d', (bad) => {
    expect(() => yamlDocument({ a: bad })).toThrow(expect.objectContaining({ code: 'output-text' }));
  });

  it('refuses what is not JSON', () => {
    expect(() => yamlDocument({ a: () => 1 })).toThrow(expect.objectContaining({ code: 'output-text' }));
    expect(() => yamlDocument({ a: 1n })).toThrow(expect.objectContaining({ code: 'output-text' }));
  });
});

/** Many texts as one list of pairs, in documents that a foreign reader turns into JSON in one call. */
const samples = [...TRAPS, ...fc.sample(text, { numRuns: 1500, seed: 20264 })].filter(isSafeText);

describe.skipIf(!hasCommand('kubectl', 'version', '--client'))('kubectl', () => {
  it('reads every text as it was written', () => {
    const data = Object.fromEntries(samples.map((sample, at) => [`k${at}`, sample]));
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data };
    const result = spawnSync('kubectl', ['annotate', '--local', '-f', '-', '-o', 'json', 'x=y'], {
      input: yamlDocument(map),
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    expect(result.stderr).toBe('');
    expect((JSON.parse(result.stdout) as { data: unknown }).data).toEqual(data);
  });
});

describe.skipIf(!hasCommand('python3', '-c', 'import yaml'))('PyYAML', () => {
  it('reads every text as it was written, as key and as value', () => {
    const input = { pairs: samples.map((sample) => ({ [sample]: sample })) };
    const program = 'import sys, json, yaml; json.dump(yaml.safe_load(sys.stdin.buffer.read().decode()), sys.stdout)';
    const result = spawnSync('python3', ['-c', program], {
      input: yamlDocument(input),
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    expect(result.stderr).toBe('');
    expect(JSON.parse(result.stdout)).toEqual(plain(input));
  });
});

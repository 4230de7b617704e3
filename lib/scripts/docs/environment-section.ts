import {
  type Condition,
  type Encoding,
  managerRows,
  managerSettings,
  managerTailRows,
  type Source,
} from '../../src/environment/index.ts';
import { code, table } from './markdown.ts';

const ENCODINGS: Readonly<Record<Encoding, string>> = {
  literal: 'as it is',
  number: 'decimal digits',
  boolean: '`true` or `false`',
  json: 'compact JSON, keys sorted',
  csv: 'items joined by `,`',
  secret: 'reference to a Secret key',
};

const CONDITIONS: Readonly<Record<Condition, string>> = {
  always: 'always',
  'not-null': 'when not null',
  'not-empty': 'when not empty',
};

const INPUTS: Readonly<Record<Extract<Source, { input: string }>['input'], string>> = {
  sourceCommit: 'the source commit',
  envIdentity: "the image's identity",
  image: 'the image, by digest',
};

function sourceOf(source: Source): string {
  if ('lane' in source) return code(source.lane);
  return 'input' in source ? INPUTS[source.input] : `the constant ${code(source.constant)}`;
}

const HEADERS = ['Variable', 'From', 'Written as', 'When', 'Configuration key'];

const rowsOf = (rows: typeof managerRows | typeof managerTailRows): string[][] =>
  rows.map(({ name, source, encoding, condition, configKey }) => [
    code(name),
    sourceOf(source),
    ENCODINGS[encoding],
    CONDITIONS[condition],
    code(configKey),
  ]);

/** The variables of the manager's container, and what a lane may add. */
export function environmentSection(): string[] {
  return [
    '## The environment of the manager',
    '',
    'The rendered Deployment gives the manager these variables, in this order, and the manager reads its configuration',
    'back from them: one table writes and reads. A missing or wrong one stops the start of the manager, with all of them',
    'named. Other names are ignored.',
    '',
    ...table(HEADERS, rowsOf(managerRows)),
    '',
    'Then `deployment.manager.env`, sorted by name, and `deployment.manager.unideskSshEndpointEnv`. Then:',
    '',
    ...table(HEADERS, rowsOf(managerTailRows)),
    '',
    'Then `deployment.manager.secretEnv`, sorted by name.',
    '',
    '### Settings',
    '',
    'These variables are read by the manager too, and come from `deployment.manager.env` alone.',
    '',
    ...table(
      ['Variable', 'Configuration key', 'Default', 'Meaning'],
      managerSettings.map(({ name, configKey, fallback, description }) => [
        code(name),
        code(configKey),
        code(JSON.stringify(fallback)),
        description,
      ]),
    ),
    '',
  ];
}

import { ADDITIONS, CONTRACT_OPTIONAL } from './additions.ts';
import { environmentSection } from './environment-section.ts';
import { type LaneField, laneFields } from './lane-fields.ts';
import { rulesInWords } from './lane-rules.ts';
import { code, page, pageHead, table } from './markdown.ts';

const INTRO = `A lane is one deployment line of AgentRun: one YAML file, \`lanes/<version>.yaml\`, that says everything about it. This
page lists what may stand in it. The same schema is \`lanes/lane.schema.json\`: an editor that reads the first line of a
lane file completes fields and explains them.

A lane is YAML 1.2 with plain values, one document, at most 1 MiB. Anchors, aliases, merge keys, tags, directives, tabs,
keys that stand twice and unknown fields are errors: what you see in the file is what it says. All errors are reported
at once, each with its line, what was found, what is allowed and the next step; [errors.md](errors.md) lists their
codes. A lane holds no secret: it names Secrets of the cluster.

Times are in milliseconds unless the field says otherwise. A field that may be null may be left out.`;

const SECTIONS: readonly (readonly [title: string, group: string])[] = [
  ['The lane itself', ''],
  ['source', 'source'],
  ['gitMirror', 'gitMirror'],
  ['gitops', 'gitops'],
  ['ci', 'ci'],
  ['runtime', 'runtime'],
  ['database', 'database'],
  ['deployment', 'deployment'],
  ['deployment.localPostgres', 'deployment.localPostgres'],
  ['deployment.manager', 'deployment.manager'],
  ['deployment.runner', 'deployment.runner'],
  ['deployment.network', 'deployment.network'],
  ['review', 'review'],
];

/** The lane reference. */
export function lanePage(): string {
  const fields = laneFields();
  refuseUnexplained(fields);
  return page([
    ...pageHead('The lane', 'the lane schema'),
    INTRO,
    '',
    '- [Fields](#fields)',
    '- [Additions](#additions)',
    '- [Rules between fields](#rules-between-fields)',
    '- [The environment of the manager](#the-environment-of-the-manager)',
    '',
    '## Fields',
    '',
    ...SECTIONS.flatMap(([title, group]) => section(title, group, fields)),
    ...additionsSection(fields),
    ...rulesSection(),
    ...environmentSection(),
  ]);
}

function section(title: string, group: string, fields: readonly LaneField[]): string[] {
  const own = fields.filter(({ path }) => groupOf(path) === group && path !== group);
  const head = fields.find(({ path }) => path === group);
  return [
    `### ${title}`,
    '',
    ...(head === undefined ? [] : [head.description, '']),
    ...table(
      ['Field', 'Type', 'Needed', 'Must be', 'Meaning', 'Example'],
      own.map(({ path, type, need, rule, description, example }) => [
        code(path) + (path in ADDITIONS ? ' [+](#additions)' : ''),
        type,
        need,
        rule,
        description,
        example === undefined ? '' : code(example),
      ]),
    ),
    '',
  ];
}

/** The longest group that the path is in. */
function groupOf(path: string): string {
  const inside = SECTIONS.map(([, group]) => group).filter(
    (group) => path === group || path.startsWith(`${group}.`) || path.startsWith(`${group}[`),
  );
  return inside.sort((a, b) => b.length - a.length)[0] ?? '';
}

function additionsSection(fields: readonly LaneField[]): string[] {
  const rows = Object.entries(ADDITIONS).map(([path, why]) => {
    const field = fields.find((candidate) => candidate.path === path);
    if (field === undefined || !field.need.startsWith('default')) {
      throw new Error(`the addition ${path} is no field with a default`);
    }
    return [code(path), field.type, field.need.slice('default '.length), field.description, why];
  });
  return [
    '## Additions',
    '',
    'AgentRun keeps every field of the lane model that it re-implements, with its name and meaning. These fields are its',
    'own. All are optional: a lane without them is complete.',
    '',
    ...table(['Field', 'Type', 'Default', 'Meaning', 'Why'], rows),
    '',
  ];
}

function rulesSection(): string[] {
  return [
    '## Rules between fields',
    '',
    'What one field must be depends here on others. Each is judged as soon as the fields that it reads are right.',
    '',
    ...table(
      ['Rule', 'Fields'],
      rulesInWords().map(({ words, fields }) => [words, fields.map(code).join(', ')]),
    ),
    '',
    'In every text of a lane, whatever its field:',
    '',
    '- No secret: no token of known form, no private key, no password in a URL.',
    '- No control character, and no half of a surrogate pair.',
    '',
    'In the values of `deployment.manager.env` and of the ssh endpoint, besides:',
    '',
    '- No long text that looks random.',
    '- No literal value for a variable whose name says that it is a secret, such as one whose last word is `KEY`, `TOKEN`,',
    '  `SECRET`, `PASSWORD` or `CREDENTIALS`. Numbers, booleans, paths and URLs are taken as harmless.',
    '',
    'The file name is the version: `lanes/v0.1.yaml` holds `version: v0.1`.',
    '',
    'Between lanes, when several are worked on at once:',
    '',
    '- On one branch of one repository, no two lanes have the same source record, artifact catalog, runtime directory,',
    '  Application file or AppProject file, and none lies inside the other.',
    '- No two lanes have the same runtime namespace, Application, AppProject or Pipeline.',
    '',
  ];
}

/** An optional field is an addition, lies below one, or is one of the contract's nullable fields. */
function refuseUnexplained(fields: readonly LaneField[]): void {
  const additions = Object.keys(ADDITIONS);
  const isWithin = (path: string, one: string) => path.startsWith(one) && /^(?:$|[.[])/.test(path.slice(one.length));
  const explained = (path: string) => CONTRACT_OPTIONAL.includes(path) || additions.some((one) => isWithin(path, one));
  for (const { path, need, description } of fields) {
    if (/^(optional|default|required when)/.test(need) && !explained(path)) {
      throw new Error(`${path} is optional, but neither an addition nor a nullable field of the contract`);
    }
    if (description === '') throw new Error(`${path} has no description`);
  }
}

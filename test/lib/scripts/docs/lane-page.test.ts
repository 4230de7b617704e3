import { describe, expect, it } from 'vitest';
import { ADDITIONS } from '../../../../lib/scripts/docs/additions.ts';
import { laneFields } from '../../../../lib/scripts/docs/lane-fields.ts';
import { lanePage } from '../../../../lib/scripts/docs/lane-page.ts';
import { rulesInWords } from '../../../../lib/scripts/docs/lane-rules.ts';
import { LANE_RULES } from '../../../../lib/src/lane/rules/index.ts';
import { aLane } from '../../../../lib/src/testing.ts';

const page = lanePage();
const fields = laneFields();
const rowOf = (path: string): string | undefined => page.split('\n').find((line) => line.startsWith(`| \`${path}\``));

/** Every place of a value, in the form of the page. */
function places(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => [`${path}[]`, ...places(item, `${path}[]`)]);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const free = { 'deployment.manager.env': '.<NAME>', 'deployment.manager.secretEnv': '.<NAME>' }[path];
    const labels = path.endsWith('.matchLabels') ? '["<label>"]' : undefined;
    const resource = /resources\.(?:requests|limits)$/.test(path) ? '.<resource>' : undefined;
    const here = path === '' ? key : path + (free ?? labels ?? resource ?? `.${key}`);
    return [here, ...places(item, here)];
  });
}

describe('the lane reference', () => {
  const full = aLane({
    deployment: {
      manager: {
        secretEnv: { EXTRA_TOKEN: { name: 'extra', key: 'token' } },
        unideskSshEndpointEnv: { name: 'UNIDESK_SSH_ENDPOINT', value: 'ssh://gateway.example.com:22' },
      },
    },
    review: {
      allow: [
        { risk: 'replicas-to-zero', object: 'Deployment/x', path: '/spec', reason: 'night', expires: '2027-01-31' },
      ],
    },
  });
  const all = [...new Set(places(full, ''))];
  const groups = ['source', 'gitMirror', 'gitops', 'ci', 'runtime', 'database', 'deployment', 'review'];

  it.each(all)('has %s', (path) => {
    const isGroup = groups.includes(path) || page.includes(`\n### ${path}\n`);
    expect(isGroup || rowOf(path) !== undefined).toBe(true);
  });

  it('has no field that a lane does not', () => {
    expect(fields.map(({ path }) => path).filter((path) => !all.includes(path))).toEqual([]);
  });

  it('says of each field what it needs, what it means, and gives an example unless its fields do', () => {
    expect(rowOf('deployment.runner.idleTimeoutMs')).toBe(
      '| `deployment.runner.idleTimeoutMs` | integer | required | an integer of at least 1 | A runner without work leaves after this many ms. | `120000` |',
    );
    expect(rowOf('deployment.localPostgres.image')).toContain('| text or null | required when `enabled` is true |');
    expect(rowOf('deployment.manager.replicas')).toContain(
      '[+](#additions) | integer | default `1` | an integer from 1 to 10 |',
    );
    expect(fields.filter(({ description }) => description === '')).toEqual([]);
    expect(
      fields
        .filter(({ type, example }) => example === undefined && !type.startsWith('mapping'))
        .map(({ path }) => path),
    ).toEqual([
      'deployment.manager.resources.requests.<resource>',
      'deployment.manager.resources.limits.<resource>',
      'deployment.manager.env.<NAME>',
      'deployment.runner.retention.selectors.matchLabels["<label>"]',
    ]);
  });

  it('marks our own additions, in one table', () => {
    const table = page.slice(page.indexOf('\n## Additions'), page.indexOf('\n## Rules between fields'));
    for (const path of Object.keys(ADDITIONS)) expect(table).toContain(`| \`${path}\` |`);
    expect(Object.keys(ADDITIONS).filter((path) => !['review', 'deployment.network'].includes(path))).toEqual([
      'labelDomain',
      'gitops.sourceFile',
      'deployment.manager.replicas',
      'deployment.manager.secretEnv',
      'deployment.localPostgres.storageClassName',
      'deployment.localPostgres.runAsUser',
      'deployment.runner.placement',
      'deployment.runner.runtimeClassName',
      'deployment.network.runnerEgress',
      'review.allow',
    ]);
  });

  it('has a sentence for each rule between fields', () => {
    const rules = rulesInWords();
    expect(rules.length).toBe(LANE_RULES.length);
    for (const { words } of rules) expect(page).toContain(`| ${words} |`);
    expect(new Set(rules.map(({ words }) => words)).size).toBe(rules.length);
  });

  it('has whole tables: every row as many cells as its head', () => {
    const cells = (line: string) => line.split(/(?<!\\)\|/).length;
    const broken = page
      .split('\n')
      .filter(
        (line, at, lines) =>
          line.startsWith('|') && lines[at - 1]?.startsWith('|') && cells(line) !== cells(lines[at - 1] ?? ''),
      );
    expect(broken).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { validateLane } from '../../../lib/src/lane/validate-lane.ts';

const good = readFileSync(join(import.meta.dirname, '../../fixtures/lanes/v0.1.yaml'), 'utf8');
const codes = (text: string) => validateLane(text, 'v0.1.yaml').problems.map(({ code }) => code);

describe('a good lane', () => {
  const { lane, problems } = validateLane(good, 'v0.1.yaml');

  it('has no problems', () => {
    expect(problems).toEqual([]);
    expect(lane?.version).toBe('v0.1');
  });

  it('gets every default, and null for every nullable field that is missing', () => {
    expect(lane?.labelDomain).toBe('agentrun.pikastech.local');
    expect(lane?.gitops.sourceFile).toBe('source.json');
    expect(lane?.deployment.manager.replicas).toBe(1);
    expect(lane?.deployment.manager.secretEnv).toEqual({});
    expect(lane?.deployment.localPostgres).toMatchObject({ storageClassName: null, runAsUser: 70 });
    expect(lane?.deployment.runner).toMatchObject({ placement: 'kubernetes-job', runtimeClassName: null });
    expect(lane?.deployment.network.runnerEgress).toEqual([{ cidr: '0.0.0.0/0', except: ['169.254.169.254/32'] }]);
    expect(lane?.review.allow).toEqual([]);
    const without = validateLane(good.replace('    egressProxyUrl: null\n', ''), 'v0.1.yaml');
    expect(without.lane?.deployment.runner.egressProxyUrl).toBeNull();
  });

  it('shares no defaults with another lane', () => {
    const other = validateLane(good, 'v0.1.yaml').lane;
    expect(other).toEqual(lane);
    expect(other?.deployment.network.runnerEgress).not.toBe(lane?.deployment.network.runnerEgress);
  });

  it('may have Windows line ends, flow style, comments, and an end mark', () => {
    expect(validateLane(good.replaceAll('\n', '\r\n'), 'v0.1.yaml').lane).toEqual(lane);
    const flow = good.replace(
      / {2}secretRef:\n.*\n.*\n/,
      '  secretRef: { name: agentrun-v01-db, key: DATABASE_URL } #\tdb\n',
    );
    expect(validateLane(`---\n${flow}...\n`, 'v0.1.yaml').lane).toEqual(lane);
  });

  it('may go without a PostgreSQL of its own', () => {
    const external = good.replace(
      / {2}localPostgres:\n {4}enabled: true\n(?: {4}.*\n){6}/,
      '  localPostgres:\n    enabled: false\n',
    );
    const { lane: found, problems: none } = validateLane(external, 'v0.1.yaml');
    expect(none).toEqual([]);
    expect(found?.deployment.localPostgres).toMatchObject({
      enabled: false,
      serviceName: null,
      image: null,
      port: null,
    });
  });

  it('may give resources as numbers, and any quantity', () => {
    const text = good
      .replace('cpu: 250m', 'cpu: 0.5')
      .replace('cpu: "2"', 'cpu: 2')
      .replace('memory: 512Mi', 'memory: 1e9');
    expect(codes(text)).toEqual(['lane-format']);
    expect(codes(text.replace('1e9', '"1e9"'))).toEqual([]);
  });
});

describe('the problems of a lane', () => {
  it('keep the place in a file with Windows line ends', () => {
    const [problem] = validateLane(
      good.replace('Runners: 20', 'Runners: x').replaceAll('\n', '\r\n'),
      'v0.1.yaml',
    ).problems;
    expect(problem).toMatchObject({ line: 77, column: 19, endLine: 77, endColumn: 20 });
    expect(problem?.frame).not.toContain('\r');
  });

  it('come all at once: those of rules beside those of the schema', () => {
    const text = good.replace('nodeId: node-a', 'nodeId: 5').replace('port: 5432', 'port: 5433');
    expect(codes(text)).toEqual(['lane-type', 'lane-value']);
  });

  it('do not come from rules whose fields are wrong already', () => {
    const text = good.replace('managerPort: 8080', 'managerPort: 70000');
    expect(codes(text)).toEqual(['lane-range']);
  });

  it('come from the schema beside a repeated key and a second document', () => {
    const text = `${good.replace('nodeId: node-a', 'nodeId: 5\nnodeId: 6')}---\na: 1\n`;
    expect(codes(text)).toEqual(['lane-type', 'lane-duplicate-key', 'lane-several-documents']);
  });

  it('are one for the mapping whose keys are merged, not one for each field that it lacks', () => {
    const text = good.replace(
      '  remote: ssh://git@git.example.internal/agentrun/agentrun.git\n',
      '  <<: { remote: x }\n',
    );
    expect(codes(text)).toEqual(['lane-alias']);
  });

  it('refuse a port of the manager that it may not bind, and a URL without its port', () => {
    const url = 'http://agentrun-mgr.agentrun-v01.svc.cluster.local:8080';
    expect(codes(good.replace('managerPort: 8080', 'managerPort: 80'))).toEqual(['lane-range']);
    expect(codes(good.replace(url, 'http://agentrun-mgr.agentrun-v01.svc'))).toEqual(['lane-rule']);
    expect(codes(good.replace(url, `${url}?x`))).toEqual(['lane-rule']);
    expect(codes(good.replace(url, 'http://agentrun-mgr.agentrun-v01.svc:99999'))).toEqual(['lane-rule']);
  });

  it('point at the bracket and the quote that stay open', () => {
    const [problem] = validateLane(good.replace('nodeId: node-a', "nodeId: 'node-a"), 'v0.1.yaml').problems;
    expect(problem).toMatchObject({ code: 'lane-syntax', line: 3, column: 9 });
  });

  it('say once for neighbouring lines that they are indented with tabs', () => {
    const text = good.replace(/^ {2}(?=remote|branch: v0\.1$)/gm, '\t');
    const { problems } = validateLane(text, 'v0.1.yaml');
    expect(problems.map(({ line, column, message }) => [line, column, message])).toEqual([
      [5, 1, 'this line is indented with a tab (and so are lines up to 6)'],
    ]);
  });

  it('show no secret of several lines, nor one in flow style', () => {
    const env =
      '    env:\n      A_TOKEN: |\n        horse-one\n        horse-two\n      B_TOKEN: "horse\n        -three"\n      bad: 1\n';
    const block = validateLane(good.replace('    env:\n', env), 'v0.1.yaml');
    expect(block.problems.map(({ line, code }) => [line, code])).toEqual([
      [65, 'lane-secret'],
      [68, 'lane-secret'],
      [70, 'lane-key'],
      [70, 'lane-type'],
    ]);
    const flow = validateLane(
      good.replace(/ {4}env:\n.*\n.*\n/, '    env: { A_TOKEN: horse-one, B_KEY: "horse-two", bad: x }\n'),
      'v0.1.yaml',
    );
    const broken = validateLane(
      good.replace(/ {4}env:\n.*\n.*\n/, '    env: { A_TOKEN: horse-one, B_KEY: "horse-two"\n'),
      'v0.1.yaml',
    );
    expect(flow.problems).toHaveLength(3);
    expect(broken.problems.map(({ code }) => code)).toEqual(['lane-syntax']);
    for (const { message, hint, frame } of [...block.problems, ...flow.problems, ...broken.problems]) {
      expect(`${message} ${hint} ${frame}`).not.toContain('horse');
    }
  });

  it('are told for texts that are no lane at all', () => {
    expect(codes('[')).toEqual(['lane-syntax']);
    expect(codes('['.repeat(100_000))).toEqual(['lane-syntax']);
    expect(codes('a: '.repeat(2))).toEqual(['lane-syntax']);
    expect(codes(`deployment: ${'['.repeat(60)}${']'.repeat(60)}`)).toContain('lane-syntax');
    expect(codes('\u0000')).toContain('lane-character');
    expect(codes('{}').every((code) => code === 'lane-missing-field')).toBe(true);
    expect(codes('{}')).toHaveLength(9);
  });

  it('take time that grows with their number, not with its square', () => {
    const timed = (count: number) => {
      const keys = Array.from({ length: count }, (_, index) => `key${index % (count / 2)}: 1`).join('\n');
      const start = performance.now();
      expect(validateLane(`${good}${keys}\n`, 'v0.1.yaml').problems).toHaveLength(count);
      return performance.now() - start;
    };
    timed(500);
    expect(timed(4000)).toBeLessThan(24 * timed(500) + 500);
  });
});

describe('the position of a field', () => {
  const { positionOf } = validateLane(good, 'v0.1.yaml');

  it('is that of its value, or of its key', () => {
    expect(positionOf('runtime.managerPort')).toEqual({ line: 26, column: 16, endLine: 26, endColumn: 20 });
    expect(positionOf('runtime.managerPort', 'key')).toEqual({ line: 26, column: 3, endLine: 26, endColumn: 14 });
  });

  it('is that of the key for a mapping or a list, and of the item in a list', () => {
    expect(positionOf('deployment.runner')).toMatchObject({ line: 68, column: 3 });
    expect(positionOf('deployment.runner.noProxyExtra[1]')).toMatchObject({ line: 108, column: 9 });
  });

  it('finds keys with dots', () => {
    const path = ['deployment', 'runner', 'retention', 'selectors', 'matchLabels', 'app.kubernetes.io/component'];
    expect(positionOf(path)).toMatchObject({ line: 83, column: 40 });
  });

  it('is that of the nearest field around one that is not in the file', () => {
    expect(positionOf('gitops.sourceFile')).toMatchObject({ line: 10, column: 1 });
    expect(positionOf('review.allow[3].risk')).toMatchObject({ line: 1, column: 1 });
    expect(positionOf('')).toMatchObject({ line: 1, column: 1 });
  });
});

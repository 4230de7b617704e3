import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { imageArtifact } from '../../../lib/src/artifacts/artifact.ts';
import { checkLane } from '../../../lib/src/check/check-lane.ts';
import { checkRendered } from '../../../lib/src/check/check-rendered.ts';
import type { Lane } from '../../../lib/src/lane/lane.ts';
import { parseLanePath, valueAt } from '../../../lib/src/lane/lane-path.ts';
import { type LoadedLane, loadLaneSync } from '../../../lib/src/lane/load-lane.ts';
import { type RenderedLane, renderLane } from '../../../lib/src/render/render-lane.ts';
import { containerPointer, objectAt, patched, setAt } from '../../helpers/patched-output.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const render = (lane: Lane): RenderedLane =>
  renderLane(lane, {
    sourceCommit: COMMIT,
    artifact: imageArtifact(lane, {
      sourceCommit: COMMIT,
      envIdentity: 'env-3f2a9c',
      digest: `sha256:${'ab'.repeat(32)}`,
      status: 'published',
    }),
  });

describe('a problem of the output', () => {
  const folder = mkdtempSync(join(tmpdir(), 'agentrun-origins-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const fixture = readFileSync(join(import.meta.dirname, '../../fixtures/lanes/v0.1.yaml'), 'utf8');
  const path = join(folder, 'v0.1.yaml');
  writeFileSync(path, fixture);
  const loaded: LoadedLane = loadLaneSync(path, { displayPath: 'lanes/v0.1.yaml' });
  const rendered = render(loaded.lane);

  it('is none for what was rendered of the lane file', () => {
    expect(checkLane(loaded, rendered)).toEqual([]);
  });

  it.each([
    ['Deployment/agentrun-mgr', '/spec/replicas', 'two', 'output-schema', 'deployment.manager.replicas', 'manager:'],
    [
      'Service/agentrun-mgr',
      '/metadata/name',
      'Bad_Name',
      'output-schema',
      'runtime.managerService',
      'managerService: agentrun-mgr',
    ],
    [
      'StatefulSet/agentrun-v01-postgres',
      containerPointer('image'),
      'postgres:17',
      'output-image',
      'deployment.localPostgres.image',
      'image: docker.io/library/postgres:17-alpine@sha256:',
    ],
    [
      'Pipeline/agentrun-v01-ci',
      '/spec/params/7/default',
      'registry.example.internal/ci-tools:latest',
      'output-image',
      'ci.toolsImage',
      'toolsImage: registry.example.internal:5000/agentrun/ci-tools:2026.06@sha256:',
    ],
  ] as const)('at %s %s stands at the line of its field', (object, pointer, value, code, lanePath, line) => {
    const broken = patched(rendered, object, setAt(pointer, value));
    const problem = checkLane(loaded, broken).find((candidate) => candidate.pointer === pointer);
    const title = pointer === '/metadata/name' ? `Service/${value}` : object;
    const lines = fixture.split('\n');
    expect(problem).toMatchObject({
      code,
      severity: 'error',
      file: 'lanes/v0.1.yaml',
      lanePath,
      object: title,
      pointer,
    });
    expect(lines[(problem?.line ?? 0) - 1]).toContain(line);
    const { column = 0, endColumn = 0, endLine } = problem ?? {};
    expect(endLine).toBe(problem?.line);
    const marked = (lines[(problem?.line ?? 0) - 1] ?? '').slice(column - 1, endColumn - 1);
    const field = valueAt(loaded.lane, parseLanePath(lanePath));
    // The number of replicas is a default: the mapping that would hold it is shown.
    expect(marked).toBe(lanePath === 'deployment.manager.replicas' ? 'manager' : String(field));
    expect(problem?.message).toContain(`${objectAt(broken, problem?.object ?? '').file}: ${title} ${pointer}`);
    expect(problem?.frame).toMatch(new RegExp(`^> +${problem?.line} \\|`, 'm'));
    expect(problem?.frame).toMatch(/^ +\| +\^~*$/m);
  });

  it('that no field decides stands at the rendered file, without a line', () => {
    const broken = patched(rendered, 'Deployment/agentrun-mgr', setAt(containerPointer('imagePullPolicy'), 'Alwayss'));
    const problems = checkLane(loaded, broken);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'output-schema', file: 'deploy/gitops/runtime-v01/mgr.yaml' });
    for (const member of ['line', 'column', 'lanePath', 'frame']) expect(problems[0]).not.toHaveProperty(member);
  });

  it('that two fields decide names the other one', () => {
    const image = containerPointer('image');
    const broken = patched(rendered, 'Deployment/agentrun-mgr', setAt(image, 'registry.example.internal/x:latest'));
    const problem = checkLane(loaded, broken).find(({ pointer }) => pointer === image);
    expect(problem?.lanePath).toBe('ci.registryPrefix');
    expect(problem?.message).toContain('also decided by deployment.manager.imageBuild.repository');
  });

  it('stands for every finding, in the same order', () => {
    const broken = patched(rendered, 'Deployment/agentrun-mgr', setAt('/spec', {}));
    const findings = checkRendered(broken);
    expect(findings.length).toBeGreaterThan(3);
    expect(checkLane(loaded, broken).map(({ code, pointer }) => ({ code, pointer }))).toEqual(
      findings.map(({ code, pointer }) => ({ code, pointer })),
    );
  });
});

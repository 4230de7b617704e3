import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { placeholderArtifact } from '../../lib/src/artifacts/artifact.ts';
import { checkRendered } from '../../lib/src/check/check-rendered.ts';
import { AgentRunError } from '../../lib/src/errors.ts';
import { loadLaneSync } from '../../lib/src/lane/load-lane.ts';
import { laneConflicts } from '../../lib/src/lane/rules/lanes.ts';
import { renderLane } from '../../lib/src/render/render-lane.ts';
import { aLane, renderToObjects, TEST_COMMIT } from '../../lib/src/testing.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';

describe('aLane', () => {
  it('is the example lane of the repository', () => {
    expect(aLane()).toEqual(loadLaneSync(join(REPOSITORY, 'lanes', 'v0.1.yaml')).lane);
  });

  it('is a fresh lane at each call', () => {
    const spoilt = aLane();
    spoilt.deployment.runner.noProxyExtra.push('.spoilt');
    expect(aLane().deployment.runner.noProxyExtra).toEqual(['.svc', '.cluster.local']);
  });

  it('merges changes in their order, and replaces lists and free maps whole', () => {
    const lane = aLane(
      { deployment: { manager: { replicas: 2, env: { ONE: '1' } } } },
      { deployment: { manager: { replicas: 3, env: { TWO: '2' } }, runner: { noProxyExtra: ['.example'] } } },
    );
    expect(lane.deployment.manager.replicas).toBe(3);
    expect(lane.deployment.manager.env).toEqual({ TWO: '2' });
    expect(lane.deployment.manager.resources.limits['memory']).toBe('2Gi');
    expect(lane.deployment.runner.noProxyExtra).toEqual(['.example']);
  });

  it('has names of its version throughout, so that it conflicts with no other', () => {
    const lanes = ['v0.1', 'v0.2', 'v1.10'].map((version) => ({
      lane: aLane({ version }),
      file: `lanes/${version}.yaml`,
      positionOf: () => ({ line: 1, column: 1, endLine: 1, endColumn: 1 }),
    }));
    expect(laneConflicts(lanes)).toEqual([]);
    expect(JSON.stringify(lanes[1]?.lane)).not.toMatch(/v01|v0\.1/);
  });

  it('takes another label domain, and the labels of runner Jobs with it', () => {
    const lane = aLane({ labelDomain: 'runs.example.com' });
    expect(lane.deployment.runner.retention.selectors.matchLabels['runs.example.com/lane']).toBe('v0.1');
  });

  it('refuses a change that makes the lane wrong, with every problem', () => {
    const wrong = () => aLane({ gitops: { path: 'elsewhere' }, deployment: { manager: { replicas: 0 } } });
    expect(wrong).toThrow(AgentRunError);
    expect(wrong).toThrow(/gitops\.path.*deployment\.manager\.replicas|deployment\.manager\.replicas.*gitops\.path/);
  });
});

describe('renderToObjects', () => {
  it('gives each object of the cluster once, control plane first', () => {
    const objects = renderToObjects(aLane());
    const ids = objects.map(({ kind, metadata }) => `${kind} ${metadata?.namespace ?? ''}/${metadata?.name}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids[0]).toBe('Namespace /agentrun-ci');
    expect(ids).toContain('Deployment agentrun-v01/agentrun-mgr');
    expect(ids).toContain('Application argocd/agentrun-v01');
    expect(ids.some((id) => id.startsWith('Kustomization'))).toBe(false);
  });

  it('gives what a rendering of the lane holds, which passes the checks', () => {
    const lane = aLane({ version: 'v0.3', deployment: { localPostgres: { enabled: false } } });
    const rendered = renderLane(lane, { sourceCommit: TEST_COMMIT, artifact: placeholderArtifact(lane, TEST_COMMIT) });
    expect(checkRendered(rendered)).toEqual([]);
    const known = [rendered.controlPlane, ...rendered.files].flatMap(({ objects }) => objects);
    for (const object of renderToObjects(lane)) expect(known).toContainEqual(object);
    expect(renderToObjects(lane).map(({ kind }) => kind)).not.toContain('StatefulSet');
  });
});

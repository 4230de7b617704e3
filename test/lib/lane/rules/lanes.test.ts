import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LaneOfMany, laneConflicts } from '../../../../lib/src/lane/rules/lanes.ts';
import { validateLane } from '../../../../lib/src/lane/validate-lane.ts';

const text = readFileSync(join(import.meta.dirname, '../../../fixtures/lanes/v0.1.yaml'), 'utf8');

function lane(name: string, source: string): LaneOfMany {
  const { lane: found, problems, positionOf } = validateLane(source, `${name}.yaml`);
  expect(problems).toEqual([]);
  if (found === undefined) throw new Error('not a good lane');
  return { lane: found, file: `lanes/${name}.yaml`, positionOf };
}

const first = lane('v0.1', text);
const renamed = text.replaceAll('v0.1', 'v0.2').replaceAll('v01', 'v02');
/** On the branch of the first lane, with the paths that every lane has by default. */
const onOneBranch = renamed.replace('branch: v0.2-gitops', 'branch: v0.1-gitops');
const ownRecord = (source: string, path = 'v02/source.json') =>
  source.replace('  path: deploy', `  sourceFile: ${path}\n  path: deploy`);
const ownRoot = (source: string) => source.replaceAll('deploy/gitops', 'deploy/gitops-v02');
const pathsOf = (second: string) => laneConflicts([first, lane('v0.2', second)]).map(({ lanePath }) => lanePath);

describe('two lanes', () => {
  it('get along on branches of their own', () => {
    expect(pathsOf(renamed)).toEqual([]);
  });

  it('share a branch when every path is their own', () => {
    expect(pathsOf(ownRoot(ownRecord(onOneBranch)))).toEqual([]);
  });

  it('must not share the source record or the AppProject file of one branch', () => {
    expect(pathsOf(onOneBranch)).toEqual(['gitops.sourceFile', 'deployment.gitopsRoot']);
  });

  it('are on one branch also when the URL is written in another way', () => {
    const other = onOneBranch.replace(
      'repoURL: http://git-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun.git',
      'repoURL: ssh://git@GIT-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun',
    );
    expect(pathsOf(ownRoot(other))).toEqual(['gitops.sourceFile']);
  });

  it('must not render into, above or below the directory of the other', () => {
    const inside = ownRecord(onOneBranch)
      .replaceAll('deploy/gitops/runtime-v02', 'deploy/gitops/runtime-v01/nested')
      .replace('runtimeRenderDir: runtime-v02', 'runtimeRenderDir: runtime-v01/nested');
    expect(pathsOf(inside)).toEqual(['deployment.runtimeRenderDir', 'deployment.gitopsRoot']);
    const catalog = ownRoot(ownRecord(onOneBranch)).replace(
      'deploy/artifact-catalog.v02.json',
      'Deploy/gitops/runtime-v01/c.json',
    );
    expect(pathsOf(catalog)).toEqual(['deployment.artifactCatalogPath']);
  });

  it('must not share a namespace, an Application, an AppProject or a Pipeline', () => {
    const clashing = renamed
      .replace('argoApplication: agentrun-v02', 'argoApplication: agentrun-v01')
      .replace('pipeline: agentrun-v02-ci', 'pipeline: agentrun-v01-ci')
      .replace('project: agentrun-v02', 'project: agentrun-v01')
      .replace('  namespace: agentrun-v02', '  namespace: agentrun-v01')
      .replace('agentrun-mgr.agentrun-v02.svc', 'agentrun-mgr.agentrun-v01.svc');
    const problems = laneConflicts([first, lane('v0.2', clashing)]);
    expect(problems.map(({ lanePath }) => lanePath)).toEqual([
      'runtime.namespace',
      'gitops.argoApplication',
      'deployment.argocd.project',
      'ci.pipeline',
    ]);
    expect(problems[0]).toEqual(
      expect.objectContaining({
        code: 'lane-conflict',
        severity: 'error',
        file: 'lanes/v0.2.yaml',
        line: 23,
        column: 14,
        message:
          'runtime.namespace gives lane v0.2 the namespace "agentrun-v01", which lane v0.1 has too (lanes/v0.1.yaml:23)',
      }),
    );
  });

  it('may share the names in different namespaces', () => {
    const apart = renamed
      .replace('argoNamespace: argocd', 'argoNamespace: argocd-b')
      .replace('argoApplication: agentrun-v02', 'argoApplication: agentrun-v01')
      .replace('project: agentrun-v02', 'project: agentrun-v01');
    expect(pathsOf(apart)).toEqual([]);
  });
});

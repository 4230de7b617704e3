import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameRepository } from '../../../lib/src/lane/repository-url.ts';
import { controlPlaneObjects } from '../../../lib/src/manifests/control-plane.ts';
import type { KubernetesObject } from '../../../lib/src/manifests/kubernetes-object.ts';
import { type GitHttpServer, serveGit } from '../../helpers/git-http-server.ts';
import { createGitRemote, type GitRemote } from '../../helpers/git-remote.ts';
import { GOOD_LANE } from '../../helpers/lane-repository.ts';
import { laneOf } from '../../helpers/publish-setup.ts';
import { runPipeline } from '../../helpers/run-pipeline.ts';
import { toolsImage } from '../../helpers/tools-image.ts';

const lane = laneOf(GOOD_LANE);
const IMAGE = { 'image-digest': `sha256:${'ab'.repeat(32)}`, 'env-identity': 'env-0123456789ab' };
const PROOFS = ['render-smoke/render-smoke', 'publish/prove'];
/** The user of the steps, where we may choose one. */
const identity = process.getuid?.() === 0 ? { user: 10001 } : {};

function rendered(): KubernetesObject {
  const pipeline = controlPlaneObjects(lane).find(({ kind }) => kind === 'Pipeline');
  if (pipeline === undefined) throw new Error('no Pipeline');
  return pipeline;
}

let source: GitRemote;
let gitops: GitRemote;
let reading: GitHttpServer;
let writing: GitHttpServer;
let root: string;
let path: string;
let runs = 0;

beforeAll(async () => {
  source = await createGitRemote();
  gitops = await createGitRemote();
  await gitops.git(['config', 'http.receivepack', 'true']);
  reading = await serveGit(source);
  writing = await serveGit(gitops);
  root = mkdtempSync(join(tmpdir(), 'agentrun-pipeline-'));
  path = toolsImage(root);
  execFileSync('chmod', ['755', root]);
});
afterAll(async () => {
  await reading.close();
  await writing.close();
  await source.remove();
  await gitops.remove();
  rmSync(root, { recursive: true, force: true });
});

/** A run with a workspace of its own, as a volumeClaimTemplate gives it. */
function run(params: Record<string, string>, without: readonly string[] = [], more: Record<string, string> = {}) {
  runs += 1;
  const own = join(root, `run-${runs}`);
  const workspace = join(own, 'workspace');
  mkdirSync(workspace, { recursive: true });
  if (identity.user !== undefined) execFileSync('chown', [String(identity.user), workspace]);
  return runPipeline(rendered(), {
    params: { 'git-read-url': reading.url, 'git-write-url': writing.url, ...params },
    workspaces: { source: workspace, ...more },
    root: own,
    path,
    without,
    ...identity,
  });
}

const told = ({ steps }: Awaited<ReturnType<typeof run>>) =>
  steps.map(({ task, step, code }) => `${task}/${step} ${code}`);
const published = (file: string) => gitops.git(['show', `v0.1-gitops:${file}`]);

describe('the rendered Pipeline', () => {
  it('checks a branch and publishes it, with the image of the run, and then with the image of the branch', async () => {
    const commit = await source.commit({ 'lanes/v0.1.yaml': GOOD_LANE }, 'v0.1');

    const first = await run({ revision: 'v0.1', ...IMAGE });
    const failure = first.steps.at(-1);
    expect(told(first), `${failure?.stderr}${failure?.stdout}`).toEqual([
      'render-smoke/clone 0',
      'render-smoke/check 0',
      'render-smoke/render-smoke 0',
      'publish/clone 0',
      'publish/check 0',
      'publish/prove 0',
      'publish/publish 0',
    ]);
    for (const { task, step, record } of first.steps.slice(0, -1)) {
      const event = `agentrun-ci-${step}`;
      expect(record, task).toEqual({ event, status: 'ok', lane: 'v0.1', revision: commit, valuesPrinted: false });
    }
    const head = await gitops.git(['rev-parse', 'v0.1-gitops']);
    expect(first.results).toEqual({ commit: head });
    expect(failure?.record).toEqual({
      event: 'agentrun-ci-publish',
      status: 'published',
      lane: 'v0.1',
      revision: commit,
      commit: head,
      valuesPrinted: false,
    });
    expect(JSON.parse(await published('.agentrun/lanes/v0.1.json'))).toMatchObject({
      lane: 'v0.1',
      laneFile: 'lanes/v0.1.yaml',
      laneRepository: expect.toSatisfy((url: string) => sameRepository(url, lane.source.remote)) as string,
      laneCommit: commit,
      sourceCommit: commit,
    });
    const catalog = JSON.parse(await published(lane.deployment.artifactCatalogPath)) as { services: object[] };
    expect(catalog.services[0]).toMatchObject({
      digest: IMAGE['image-digest'],
      envIdentity: IMAGE['env-identity'],
      status: 'built',
    });

    const newer = await source.commit(
      { 'lanes/v0.1.yaml': GOOD_LANE.replace('nodeId: node-a', 'nodeId: node-b') },
      'v0.1',
    );
    const second = await run({ revision: newer }, PROOFS);
    expect(second.steps.at(-1)).toMatchObject({ code: 0, record: { status: 'published', revision: newer } });
    expect(await gitops.git(['rev-parse', 'v0.1-gitops^'])).toBe(head);
    expect(JSON.parse(await published(lane.deployment.artifactCatalogPath))).toMatchObject({
      sourceCommitId: newer,
      services: [{ digest: IMAGE['image-digest'], status: 'reused' }],
    });
    expect(readdirSync(join(root, 'run-2/publish/publish/tmp')), 'nothing is left behind').toEqual([]);
  });

  it('stops before it publishes when the check finds something', async () => {
    const bad = await source.commit(
      { 'lanes/v0.1.yaml': GOOD_LANE.replace('managerPort: 8080', 'managerPort: 80800') },
      'bad',
    );
    const before = await gitops.git(['rev-parse', 'v0.1-gitops']);
    const result = await run({ revision: bad, ...IMAGE });
    expect(told(result)).toEqual(['render-smoke/clone 0', 'render-smoke/check 1']);
    expect(result.steps.at(-1)?.stderr).toContain('lanes/v0.1.yaml:');
    expect(result.steps.at(-1)?.record).toMatchObject({ event: 'agentrun-ci-check', status: 'failed', revision: bad });
    expect(result.results).toEqual({});
    expect(await gitops.git(['rev-parse', 'v0.1-gitops'])).toBe(before);
  });

  it('hands the workspace git-ssh to the step that pushes', async () => {
    const keys = join(root, 'keys');
    mkdirSync(keys);
    const commit = await source.commit({ 'lanes/v0.1.yaml': GOOD_LANE }, 'ssh');
    const result = await run({ revision: commit, ...IMAGE }, PROOFS, { 'git-ssh': keys });
    expect(told(result).at(-1)).toBe('publish/publish 2');
    expect(result.steps.at(-1)?.stderr).toContain('the workspace git-ssh has no file "known_hosts"');
  });
});

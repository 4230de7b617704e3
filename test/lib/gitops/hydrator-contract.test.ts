/**
 * What others read on our branches, field by field. Sources, by title:
 * - Argo CD documentation, "Source Hydrator", chapter "Commit Tracing": the fields of the hydrator.metadata at the root,
 *   `references`, the trailers Argocd-reference-commit-*, and the body without them; empty fields are omitted.
 * - GitOps Promoter documentation, "Building a Custom Hydrator", chapters "The Contract" (required and optional fields,
 *   `<activePath>/hydrator.metadata`, no commit when nothing changed) and "Advanced: With Git Notes" (the ref, the note
 *   `{"drySha": ...}` on the commit, moved without a commit when the files are the same).
 */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hydratorFiles } from '../../../lib/src/gitops/hydrator-metadata.ts';
import type { LaneCommit } from '../../../lib/src/gitops/lane-commit.ts';
import {
  BRANCH,
  CODE_COMMIT,
  laneFileOf,
  laneText,
  publishSource,
  REPOSITORY_URL,
} from '../../helpers/publish-lanes.ts';
import { type VerifySetup, verifySetup } from '../../helpers/verify-setup.ts';

const NOTES = 'refs/notes/hydrator.metadata';
const DIRECTORY = 'deploy/lane-1/runtime-v01';

let setup: VerifySetup;
beforeAll(async () => {
  setup = await verifySetup();
});
afterAll(() => setup.remove());

const show = (commit: string, path: string) => setup.remote.git(['show', `${commit}:${path}`]);
const noteOn = (commit: string) => setup.remote.git(['notes', `--ref=${NOTES}`, 'show', commit]);
const subjectAndBody = (commit: string) =>
  setup.lanes.git('log', '-1', '--format=%an <%ae>%x00%aI%x00%s%x00%b', commit).split('\0');

const COMMIT: LaneCommit = {
  id: '1'.repeat(40),
  committed: '1767225600 +0100',
  author: 'Jane Doe <jane@example.com>',
  date: '2026-01-01T01:00:00+01:00',
  subject: 'Use image 7',
  body: '',
};
const rootOf = (commit: Partial<LaneCommit>, code?: { repository: string; commit: string }) => {
  const source = {
    repository: REPOSITORY_URL,
    commit: { ...COMMIT, ...commit },
    ...(code === undefined ? {} : { code }),
  };
  return JSON.parse(hydratorFiles(source, 'deploy')[0]?.content ?? '') as Record<string, unknown>;
};

describe('hydrator.metadata at the root of the branch', () => {
  it('tells of the commit of the lane, and of the commit of the code in references', async () => {
    const text = await show(setup.published, 'hydrator.metadata');
    const [author, date = '', subject] = subjectAndBody(setup.source.commit.id);
    expect(JSON.parse(text)).toEqual({
      repoURL: REPOSITORY_URL,
      drySha: setup.lanes.git('rev-parse', 'HEAD'),
      author,
      date: date.replace('+00:00', 'Z'),
      subject,
      references: [{ commit: { sha: CODE_COMMIT, repoURL: setup.source.rendered.lane.source.remote } }],
    });
  });

  it('is JSON with two spaces and a final newline', async () => {
    const text = await setup.remote.git(['cat-file', 'blob', `${setup.published}:hydrator.metadata`]);
    expect(`${text}\n`).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
    expect(setup.files.get(`${DIRECTORY}/hydrator.metadata`)?.toString()).toMatch(
      /^\{\n {2}"repoURL": .*,\n {2}"drySha": .*\n\}\n$/,
    );
  });

  it('has the fields in the order of the contract, and leaves out what is empty', () => {
    expect(Object.keys(rootOf({ body: 'why' }, { repository: 'ssh://x/y', commit: '2'.repeat(40) }))).toEqual([
      'repoURL',
      'drySha',
      'author',
      'date',
      'subject',
      'body',
      'references',
    ]);
    expect(Object.keys(rootOf({}))).toEqual(['repoURL', 'drySha', 'author', 'date', 'subject']);
    expect(Object.keys(rootOf({ subject: '' }))).toEqual(['repoURL', 'drySha', 'author', 'date']);
  });

  it.each([
    ['2026-01-01T01:00:00+01:00', '2026-01-01T01:00:00+01:00'],
    ['2026-01-01T01:00:00+00:00', '2026-01-01T01:00:00Z'],
    ['2026-01-01T01:00:00Z', '2026-01-01T01:00:00Z'],
  ])('gives the date as RFC 3339: %s', (given, written) => {
    expect(rootOf({ date: given })['date']).toBe(written);
  });

  it('gives subject and body as git does, for a message of several lines', async () => {
    const { lanes, commit } = setup;
    await commit({ number: 1, content: 30 });
    lanes.git(
      'commit',
      '--quiet',
      '--amend',
      '--message',
      'Change "this"\nand that\n\nBecause.\n\nSigned-off-by: Jane <j@example.com>',
    );
    const source = await publishSource(lanes.dir, 1, laneText({ number: 1, content: 30 }));
    const { commit: made = '' } = await setup.publish(source, { branch: 'messages' });
    const root = JSON.parse(await show(made, 'hydrator.metadata')) as Record<string, string>;
    expect(root['subject']).toBe('Change "this" and that');
    expect(root['body']).toBe('Because.\n\nSigned-off-by: Jane <j@example.com>');
  });
});

describe('references', () => {
  const code = { repository: 'https://git.example.com/code.git', commit: 'abcdef0123'.repeat(4) };
  const trailers = [
    'Argocd-reference-commit-author: Ann Coder <ann@example.com>',
    'Argocd-reference-commit-sha: abcdef0123',
    'Argocd-reference-commit-subject: Fix it',
    'Argocd-reference-commit-body: "Fix it well\\n\\nSigned-off-by: Ann"',
    'Argocd-reference-commit-repourl: https://git.example.com/code',
    'Argocd-reference-commit-date: 2026-01-01T00:00:00-04:00',
  ];
  const named = {
    author: 'Ann Coder <ann@example.com>',
    sha: 'abcdef0123',
    subject: 'Fix it',
    body: 'Fix it well\n\nSigned-off-by: Ann',
    repoURL: 'https://git.example.com/code',
    date: '2026-01-01T00:00:00-04:00',
  };
  const body = ['Bump.', ['Reviewed-by: Bob', ...trailers].join('\n')].join('\n\n');

  it('are the commit of the code, where that is another one', () => {
    expect(rootOf({}, code)['references']).toEqual([{ commit: { sha: code.commit, repoURL: code.repository } }]);
    expect(rootOf({})).not.toHaveProperty('references');
  });

  it('are what the trailers of the lane commit name; the body is left without them', () => {
    expect(rootOf({ body })).toMatchObject({ body: 'Bump.\n\nReviewed-by: Bob', references: [{ commit: named }] });
  });

  it('take the details from the trailers when they name the same commit, and ours where they do not', () => {
    const own = { sha: code.commit, repoURL: code.repository };
    expect(rootOf({ body }, code)['references']).toEqual([{ commit: { ...named, ...own } }]);
    expect(rootOf({ body }, { ...code, commit: '9'.repeat(40) })['references']).toEqual([
      { commit: { ...own, sha: '9'.repeat(40) } },
    ]);
  });

  it.each([
    'Argocd-reference-commit-author: nobody',
    'Argocd-reference-commit-sha: xyz',
    'Argocd-reference-commit-body: not JSON',
    'Argocd-reference-commit-body: 5',
    'Argocd-reference-commit-date: yesterday',
    'Argocd-reference-commit-repourl: nowhere',
    'Argocd-reference-commit-mood: good',
  ])('leave what is not known, or not of its form, in the body: %s', (line) => {
    expect(rootOf({ body: line })).toMatchObject({ body: line });
    expect(rootOf({ body: line })).not.toHaveProperty('references');
  });

  it('take the last of two trailers of one name', () => {
    const two = 'Argocd-reference-commit-sha: aaaaa\nArgocd-reference-commit-sha: bbbbb';
    expect(rootOf({ body: two })['references']).toEqual([{ commit: { sha: 'bbbbb' } }]);
  });
});

describe('hydrator.metadata in the directory that is synced', () => {
  it('names repository and commit, and nothing else', async () => {
    expect(JSON.parse(await show(setup.published, `${DIRECTORY}/hydrator.metadata`))).toEqual({
      repoURL: REPOSITORY_URL,
      drySha: setup.source.commit.id,
    });
  });

  it('is that of each lane, when one branch holds several', async () => {
    const sources = await setup.commit({ number: 1 }, { number: 2 });
    for (const source of sources) await setup.publish(source, { branch: 'two' });
    const own = JSON.parse(await show('two', 'deploy/lane-2/runtime-v02/hydrator.metadata')) as { drySha: string };
    expect(own.drySha).toBe(sources[1]?.commit.id);
    expect((JSON.parse(await show('two', 'hydrator.metadata')) as { drySha: string }).drySha).toBe(
      sources[1]?.commit.id,
    );
  });
});

describe('the note on a published commit', () => {
  it('names the commit of the lane, in full', async () => {
    expect(JSON.parse(await noteOn(setup.published))).toEqual({ drySha: setup.source.commit.id });
    expect(setup.source.commit.id).toMatch(/^[0-9a-f]{40}$/);
  });

  it('moves alone when a new commit of the lane renders to the same files', async () => {
    const { lanes, remote, publish } = setup;
    const before = await remote.git(['rev-parse', BRANCH]);
    lanes.write('unrelated.txt', 'x\n');
    lanes.write(laneFileOf(1), laneText({ number: 1 }));
    lanes.commit();
    const source = await publishSource(lanes.dir, 1, laneText({ number: 1 }));
    expect((await publish(source)).status).toBe('unchanged');
    expect(await remote.git(['rev-parse', BRANCH])).toBe(before);
    expect(JSON.parse(await noteOn(before))).toEqual({ drySha: source.commit.id });
  });

  it('lands for each of several publishers at once', async () => {
    const sources = await setup.commit(...[1, 2, 3, 4].map((number) => ({ number, content: 40 })));
    const results = await Promise.all(sources.map((source, at) => setup.publish(source, { branch: `race-${at}` })));
    expect(results.map(({ status, problems }) => [status, ...problems])).toEqual(results.map(() => ['published']));
    for (const { commit = '' } of results)
      expect(JSON.parse(await noteOn(commit))).toEqual({ drySha: sources[0]?.commit.id });
  });
});

describe('the message of a published commit', () => {
  it('ends with trailers that git reads as such', async () => {
    const message = await setup.remote.git(['log', '-1', '--format=%B', setup.published]);
    const parsed = execFileSync('git', ['interpret-trailers', '--parse'], { input: message, encoding: 'utf8' });
    expect(
      parsed
        .trim()
        .split('\n')
        .map((line) => line.split(': ')[0]),
    ).toEqual([
      'Agentrun-Lane',
      'Agentrun-Lane-Commit',
      'Agentrun-Source-Commit',
      'Agentrun-Files-Digest',
      'Agentrun-Artifact-Digest',
      'Agentrun-Generator',
    ]);
    expect(message.split('\n')[0]).toContain(setup.source.commit.id.slice(0, 12));
  });
});

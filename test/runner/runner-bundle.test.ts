import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type GitHttpServer, serveGit } from '../helpers/git-http-server.ts';
import { createGitRemote, type GitRemote } from '../helpers/git-remote.ts';
import { livingWith } from '../helpers/living-processes.ts';
import { eventually, payloadsOf, type RunnerWorld, runnerWorld, storyOf } from '../helpers/runner-setup.ts';

const KEY = 'a-key-of-the-profile-4711-0815';
const DONE = { code: 0, signal: null };

let world: RunnerWorld;
let remote: GitRemote;
let commit = '';
const servers: GitHttpServer[] = [];
beforeAll(async () => {
  world = await runnerWorld();
  remote = await createGitRemote();
  commit = await remote.commit({ 'a.txt': 'of the repository\n' });
});
afterEach(async () => {
  await world.clean();
  for (const server of servers.splice(0)) await server.close();
});
afterAll(async () => {
  await world.stop();
  await remote.remove();
});

async function serve(options: Parameters<typeof serveGit>[1] = {}): Promise<GitHttpServer> {
  const server = await serveGit(remote, options);
  servers.push(server);
  return server;
}

const at = (url: string) => ({
  resourceBundleRef: {
    repositories: [{ url, commit, path: 'work' }],
    files: [{ path: 'note.txt', content: 'a note' }],
  },
});
const CAT = { command: ['sh', '-c', 'cat work/a.txt note.txt; cat >/dev/null'] };

/** A run whose bundle does not come: git waits for an answer. */
async function stalled() {
  const server = await serve({ stall: true });
  const runId = await world.createRun(at(server.url));
  const turn = await world.manager.turn(runId);
  const runner = await world.start(runId);
  await eventually(
    () => server.requests(),
    (count) => count > 0,
    'git to ask',
  );
  return { runId, turn, runner };
}

describe('the bundle of a run', () => {
  it('is in the workspace before the first turn, and is told of', async () => {
    const { manager } = world;
    const runId = await world.createRun(at((await serve()).url));
    await manager.turn(runId, 'first');
    const second = await manager.turn(runId, 'second');
    const runner = await world.start(runId, { profile: CAT });
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(readFileSync(join(runner.workspace, 'work/a.txt'), 'utf8')).toBe('of the repository\n');
    const events = await manager.events(runId);
    const story = storyOf(events);
    const mine = story.filter((name) => /resource-bundle|command-acknowledged|turn-started/.test(name));
    expect(mine).toEqual([
      'command-acknowledged',
      'resource-bundle-started',
      'resource-bundle-ready',
      'turn-started',
      'command-acknowledged',
      'turn-started',
    ]);
    const ready = events.find(({ payload }) => payload?.['phase'] === 'resource-bundle-ready')?.payload;
    expect(ready).toMatchObject({
      unchanged: false,
      files: 1,
      repositories: [{ path: 'work', commit }],
      attemptId: runner.attemptId,
    });
    expect(payloadsOf(events, 'assistant_message')[1]).toMatchObject({
      text: 'of the repository\na note',
      commandId: second.id,
    });
  });

  it('fails the turn that it cannot be made for, and is tried again for the next', async () => {
    const { manager } = world;
    const server = await serve({ unavailable: 3 });
    const runId = await world.createRun(at(server.url));
    const first = await manager.turn(runId, 'first');
    const second = await manager.turn(runId, 'second');
    const runner = await world.start(runId, { profile: CAT });
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, first.id)).toMatchObject({
      terminalStatus: 'failed',
      failureKind: 'provider-unavailable',
    });
    expect(await manager.command(runId, second.id)).toMatchObject({ terminalStatus: 'completed' });
    const story = storyOf(await manager.events(runId));
    expect(story.indexOf('command-acknowledged')).toBeLessThan(story.indexOf('resource-bundle-started'));
    expect(story.filter((name) => name === 'resource-bundle-failed')).toHaveLength(1);
    expect(story.filter((name) => name === 'resource-bundle-ready')).toHaveLength(1);
  });

  it('blocks a turn whose bundle a person must correct', async () => {
    const { manager } = world;
    const runId = await world.createRun({
      resourceBundleRef: { repositories: [{ url: (await serve()).url, commit: 'f'.repeat(40), path: 'work' }] },
    });
    const turn = await manager.turn(runId);
    const runner = await world.start(runId);
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, turn.id)).toMatchObject({
      terminalStatus: 'blocked',
      failureKind: 'resource-bundle-invalid',
    });
    expect(storyOf(await manager.events(runId))).not.toContain('turn-started');
  });

  it('is given up when the turn is cancelled meanwhile', async () => {
    const { manager } = world;
    const { runId, turn, runner } = await stalled();
    await manager.ask('POST', `commands/${turn.id}/cancel`);
    expect(await world.ended(runId, turn.id)).toMatchObject({ state: 'cancelled' });
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(storyOf(await manager.events(runId))).toContain('turn-cancelled');
    expect(livingWith(`AGENTRUN_ATTEMPT_ID=${runner.attemptId}`)).toEqual([]);
  });

  it('is left to the next runner when this one must go', async () => {
    const { manager } = world;
    const { runId, turn, runner } = await stalled();
    runner.signal('SIGTERM');
    expect(await runner.ended, runner.log).toEqual({ code: 143, signal: null });
    expect((await manager.command(runId, turn.id)).failureKind).not.toBe('cancelled');
  });

  it('is bound by the time of the turn', async () => {
    const { manager } = world;
    const server = await serve({ stall: true });
    const runId = await world.createRun({ ...at(server.url), executionPolicy: { turnTimeoutMs: 500 } });
    const turn = await manager.turn(runId);
    const runner = await world.start(runId);
    expect(await world.ended(runId, turn.id)).toMatchObject({ terminalStatus: 'failed', failureKind: 'turn-timeout' });
    expect(await runner.ended, runner.log).toEqual(DONE);
  });

  it('tells a conversation its instructions and skills once', async () => {
    const { manager } = world;
    const bundle = {
      instructions: 'ALWAYS BE BRIEF',
      skills: [{ name: 'release', files: [{ path: 'SKILL.md', content: 'x' }] }],
    };
    const runId = await world.createRun({ resourceBundleRef: bundle });
    for (const prompt of ['one', 'two']) await manager.turn(runId, prompt);
    const runner = await world.start(runId, { profile: { command: ['cat'] } });
    expect(await runner.ended, runner.log).toEqual(DONE);
    const [first, second] = payloadsOf(await manager.events(runId), 'assistant_message').map(({ text }) => text);
    expect(first).toBe(
      'ALWAYS BE BRIEF\n\nSkills that you can use, as files of the workspace:\n- release: .agentrun/skills/release/SKILL.md\n\none',
    );
    expect(second).toBe('two');
    expect(existsSync(join(runner.workspace, '.agentrun/skills/release/SKILL.md'))).toBe(true);
    // What the person said is what they said.
    expect(payloadsOf(await manager.events(runId), 'user_message').map(({ text }) => text)).toEqual(['one', 'two']);
  });
});

describe('the credential of a profile', () => {
  it('is nowhere in what is told or logged, though the agent says it in pieces', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, 'tell');
    const script = [
      'const key = process.env.AGENTRUN_API_KEY;',
      'const say = (event) => process.stdout.write(JSON.stringify(event) + "\\n");',
      'const sleep = (ms) => new Promise((done) => setTimeout(done, ms));',
      'for (const part of ["the key: ", ...key.match(/.{1,7}/g), " and ", Buffer.from("u:" + key).toString("base64")]) { say({ type: "assistant_delta", itemId: "a", text: part }); await sleep(120); }',
      'say({ type: "tool_begin", itemId: "t", toolName: "shell", command: "curl -H " + key });',
      'say({ type: "tool_end", itemId: "t", output: encodeURIComponent(key) + JSON.stringify({ key }) });',
      'console.error(key); process.exit(1);',
    ].join('\n');
    const runner = await world.start(runId, {
      profile: { command: ['{node}', '--input-type=module', '-e', script] },
      credential: { 'api-key': KEY },
    });
    expect(await runner.ended, runner.log).toEqual(DONE);
    const told = JSON.stringify([await manager.events(runId), await manager.command(runId, turn.id), runner.log]);
    expect(told).not.toContain(KEY);
    expect(told).not.toContain(KEY.slice(0, 14));
    expect(told).not.toContain(Buffer.from(`u:${KEY}`).toString('base64').slice(4, -4));
    expect(
      payloadsOf(await manager.events(runId), 'assistant_delta')
        .map(({ text }) => text)
        .join(''),
    ).toMatch(/^the key: \[secret\] and /);
    expect(told).toContain('[secret]');
    writeFileSync(join(runner.attemptDir, 'seen'), '');
  });
});

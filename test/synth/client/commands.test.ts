import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventInput } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { placedRunner, type ScriptedRunner } from '../../helpers/manager-client.ts';
import { agentrun, type CallOptions } from './agentrun.ts';

let manager: TestManager;
let folder: string;

beforeAll(async () => {
  // Runners that a test leaves behind are not missed before the end.
  manager = await testManager({ config: { staleHeartbeatFencingMs: 120_000 } });
  folder = mkdtempSync(join(tmpdir(), 'agentrun-client-'));
});
afterAll(async () => {
  await manager.stop();
  rmSync(folder, { recursive: true, force: true });
});

const call = (args: readonly string[], options: CallOptions = {}) =>
  agentrun(args, {
    cwd: folder,
    ...options,
    env: { AGENTRUN_URL: manager.url, AGENTRUN_API_KEY: manager.key, ...options.env },
  });

/** The runner that the manager starts next, with the lease and the turn. */
async function nextRunner(): Promise<{ runner: ScriptedRunner; commandId: string }> {
  const runner = placedRunner(manager, await manager.placement.nextStart());
  await runner.claim();
  const commandId = (await runner.next()).data.items[0]?.id ?? '';
  await runner.ack(commandId);
  return { runner, commandId };
}

/** A turn with all that an agent does. */
const work = (commandId: string): EventInput[] => [
  { type: 'assistant_delta', payload: { commandId, itemId: 'm', text: 'I look.' } },
  { type: 'assistant_message', payload: { commandId, itemId: 'm', text: 'I look.' } },
  { type: 'tool_begin', payload: { commandId, itemId: 't', toolName: 'shell', command: 'ls' } },
  { type: 'tool_output', payload: { commandId, itemId: 't', text: 'notes.md\n' } },
  { type: 'tool_end', payload: { commandId, itemId: 't', toolName: 'shell', status: 'ok', exitCode: 0 } },
  { type: 'file_change', payload: { commandId, path: 'notes.md', kind: 'add', diff: '@@ -0,0 +1 @@\n+hello\n' } },
];

const TRANSCRIPT = `> tidy up

I look.

$ ls
  notes.md
* notes.md: added, +1 -0
  @@ -0,0 +1 @@
  +hello
`;

async function sessionWithRun(): Promise<{ sessionId: string; runId: string }> {
  const { stdout } = await call(['run', 'begin', '--no-wait', '--no-runner', '-o', 'json']);
  return JSON.parse(stdout) as { sessionId: string; runId: string };
}

describe('agentrun run', () => {
  it('shows what the agent does, and ends with the turn', async () => {
    const running = call(['run', 'tidy up', '--wait']);
    const { runner, commandId } = await nextRunner();
    await runner.append(work(commandId));
    await runner.report(commandId);
    const { code, stdout, stderr } = await running;
    expect(stdout.replace(/in \d+\.\d s/, 'in N s')).toBe(`${TRANSCRIPT}\n(turn completed in N s)\n`);
    expect(stderr).toMatch(/^session sess_\w+, run run_\w+\n\n$/);
    expect(code).toBe(0);
  });

  it.each([
    ['failed', 'backend-crashed', 1],
    ['cancelled', 'cancelled', 3],
    ['blocked', 'provider-quota', 4],
  ])('ends with a code that says that the turn was %s', async (status, failureKind, code) => {
    const running = call(['run', 'x', '--wait']);
    const { runner, commandId } = await nextRunner();
    await runner.report(commandId, status, { failureKind, failureMessage: 'so it is' });
    expect((await running).code).toBe(code);
    expect(running.stdout).toContain(`turn ${status}`);
    expect(running.stdout).toContain('so it is');
  });

  it('ends at once where nobody looks, with the ids', async () => {
    const { code, stdout, stderr } = await call(['run', 'x', '--no-runner']);
    expect(stdout).toMatch(/^sess_\w+ run_\w+ cmd_\w+\n$/);
    expect(stderr).toContain('npx agentrun logs sess_');
    expect(code).toBe(0);
  });

  it('waits on a terminal without being told to', async () => {
    const running = call(['run', 'x'], { tty: true, env: { NO_COLOR: '1' } });
    const { runner, commandId } = await nextRunner();
    await runner.report(commandId);
    expect((await running).stdout).toContain('(turn completed');
    expect(running.stdout).not.toContain('\u001b');
  });

  it('gives one JSON document, with the result', async () => {
    const running = call(['run', 'x', '--wait', '-o', 'json']);
    const { runner, commandId } = await nextRunner();
    await runner.append(work(commandId));
    await runner.report(commandId);
    const document = JSON.parse((await running).stdout) as Record<string, unknown>;
    expect(document).toMatchObject({
      runId: runner.runId,
      commandId,
      decision: 'turn',
      result: { terminalStatus: 'completed', output: { text: 'I look.' } },
    });
  });

  it('lets the run go on after Ctrl-C, and says how to follow and to cancel it', async () => {
    const running = call(['run', 'x', '--wait']);
    const { runner } = await nextRunner();
    await expect.poll(() => running.stdout).toContain('> x');
    running.signal();
    const { code, stderr } = await running;
    expect(code).toBe(130);
    expect(stderr).toMatch(/npx agentrun logs sess_\w+ -f/);
    expect(stderr).toContain(`npx agentrun cancel ${runner.runId}`);
    expect(await manager.run(runner.runId)).toMatchObject({ status: 'running', cancelRequestedAt: null });
  });

  it('ends with 124 when the time is over, and lets the run go on', async () => {
    const running = call(['run', 'x', '--wait', '--timeout', '1']);
    const { runner } = await nextRunner();
    const { code, stderr } = await running;
    expect(code).toBe(124);
    expect(stderr).toContain('error[timeout]');
    expect(await manager.run(runner.runId)).toMatchObject({ status: 'running', cancelRequestedAt: null });
  });

  it('reads the text from stdin, and puts files into the workspace', async () => {
    writeFileSync(join(folder, 'notes.md'), 'hello\n');
    writeFileSync(join(folder, 'logo.bin'), Buffer.from([0, 255, 1]));
    const args = ['run', '-', '--file', 'notes.md', '--file', 'logo.bin=art/logo.bin', '--no-runner', '-o', 'json'];
    const { stdout } = await call(args, { stdin: 'from\nstdin\n' });
    const { runId, commandId } = JSON.parse(stdout) as { runId: string; commandId: string };
    expect((await manager.command(runId, commandId)).payload.prompt).toBe('from\nstdin\n');
    expect((await manager.run(runId)).resourceBundleRef?.files).toEqual([
      { path: 'notes.md', content: 'hello\n' },
      { path: 'art/logo.bin', contentBase64: Buffer.from([0, 255, 1]).toString('base64') },
    ]);
  });

  it('makes the session that is named, and goes on in it', async () => {
    const args = ['--session', 'sess_by-name', '--profile', 'demo', '--no-wait', '--no-runner', '-o', 'json'];
    const first = JSON.parse((await call(['run', 'one', ...args])).stdout) as { sessionId: string; runId: string };
    const second = JSON.parse((await call(['run', 'two', ...args])).stdout) as { sessionId: string; runId: string };
    expect(first.sessionId).toBe('sess_by-name');
    expect(second).toEqual({ ...second, sessionId: 'sess_by-name', runId: first.runId });
  });

  it('runs one turn without a session', async () => {
    const running = call(['run', 'x', '--ephemeral', '--profile', 'demo', '--wait']);
    const { runner, commandId } = await nextRunner();
    await runner.report(commandId);
    expect((await running).code).toBe(0);
    expect(await manager.run(runner.runId)).toMatchObject({ status: 'completed', sessionRef: null });
  });
});

describe('agentrun send', () => {
  it('steers the turn that runs, and waits for its end', async () => {
    const { stdout } = await call(['run', 'begin', '--no-wait', '-o', 'json']);
    const { sessionId } = JSON.parse(stdout) as { sessionId: string };
    const { runner, commandId } = await nextRunner();
    const sending = call(['send', sessionId, 'rather so', '--wait']);
    await expect.poll(async () => (await runner.next()).data.items.length).toBe(2);
    const steer = (await runner.next()).data.items.find(({ type }) => type === 'steer');
    await runner.ack(steer?.id ?? '');
    await runner.report(steer?.id ?? '');
    await runner.append([{ type: 'assistant_message', payload: { commandId, itemId: 'm', text: 'Changed.' } }]);
    await runner.report(commandId);
    expect(await sending).toMatchObject({ code: 0 });
    expect(sending.stdout).toContain('> rather so');
    expect(sending.stdout).toContain('Changed.');
  });

  it('shows the turn that a steer became, when its turn had ended', async () => {
    const { stdout } = await call(['run', 'begin', '--no-wait', '-o', 'json']);
    const { sessionId } = JSON.parse(stdout) as { sessionId: string };
    const { runner, commandId } = await nextRunner();
    const sending = call(['send', sessionId, 'one more thing', '--wait']);
    await expect.poll(async () => (await runner.next()).data.items.length).toBe(2);
    await runner.report(commandId);
    const next = (await runner.next()).data.items[0];
    expect(next).toMatchObject({ type: 'turn', payload: { prompt: 'one more thing' } });
    await runner.ack(next?.id ?? '');
    await runner.report(next?.id ?? '', 'blocked', { failureKind: 'context-overflow' });
    expect((await sending).code).toBe(4);
    expect(sending.stdout).toContain('(the turn had ended: the text begins another one)');
  });

  it('shows nothing of the turns before its own', async () => {
    const { stdout } = await call(['run', 'begin', '--no-wait', '-o', 'json']);
    const { sessionId } = JSON.parse(stdout) as { sessionId: string };
    const { runner, commandId } = await nextRunner();
    await runner.append(work(commandId));
    const sending = call(['send', sessionId, 'then this', '--if-busy', 'queue', '--wait']);
    const commands = () => manager.ask<{ items: object[] }>('GET', `runs/${runner.runId}/commands`);
    await expect.poll(async () => (await commands()).items.length).toBe(2);
    await runner.append([{ type: 'assistant_message', payload: { commandId, itemId: 'n', text: 'Of the first.' } }]);
    await runner.report(commandId);
    const second = (await runner.next()).data.items[0]?.id ?? '';
    await runner.ack(second);
    await runner.report(second);
    const text = (await sending).stdout;
    expect(text).toContain('> then this');
    expect(text).not.toContain('I look.');
    expect(text).not.toContain('Of the first.');
  });

  it('refuses a busy session when that is asked for', async () => {
    const { sessionId } = await sessionWithRun();
    const { code, stderr } = await call(['send', sessionId, 'x', '--if-busy', 'reject']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error\[session-busy\] .*\n {2}hint: .*\n {2}trace: trc_\w+\n$/);
  });
});

describe('agentrun logs', () => {
  it('shows a run, and a session with all its runs', async () => {
    const first = call(['run', 'tidy up', '--session', 'sess_logs', '--wait']);
    const one = await nextRunner();
    await one.runner.append(work(one.commandId));
    await one.runner.report(one.commandId);
    await first;
    await one.runner.release();
    const second = call(['send', 'sess_logs', 'and again', '--wait']);
    const two = await nextRunner();
    await two.runner.report(two.commandId);
    await second;
    const run = await call(['logs', one.runner.runId]);
    const session = await call(['logs', 'sess_logs']);
    expect(run.stdout).toContain(TRANSCRIPT);
    expect(run.stdout).not.toContain('and again');
    expect(session.stdout).toContain(TRANSCRIPT);
    expect(session.stdout).toContain('> and again');
    const newest = await call(['logs', 'sess_logs', '--since-seq', '0']);
    expect(newest.stdout).not.toContain(TRANSCRIPT);
    const { items } = JSON.parse((await call(['logs', one.runner.runId, '-o', 'json'])).stdout) as { items: object[] };
    expect(items).toEqual(await manager.events(one.runner.runId));
    const late = await call(['logs', one.runner.runId, '--since-seq', String(items.length - 1), '-o', 'json']);
    expect((JSON.parse(late.stdout) as { items: object[] }).items).toEqual(items.slice(-1));
  });

  it('follows a run to its end, as JSON lines', async () => {
    const { runId } = JSON.parse((await call(['run', 'x', '--no-wait', '-o', 'json'])).stdout) as { runId: string };
    const following = call(['logs', runId, '-f', '-o', 'json']);
    const { runner, commandId } = await nextRunner();
    await runner.append(work(commandId));
    await runner.report(commandId);
    await runner.release();
    const { code, stdout } = await following;
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toEqual(await manager.events(runId));
    expect(code).toBe(0);
  });

  it('shows an empty session, and says of what is neither session nor run that there is none', async () => {
    await manager.ask('POST', 'sessions', { sessionId: 'sess_empty', tenantId: 't', projectId: 'p' });
    expect(await call(['logs', 'sess_empty'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await call(['logs', 'sess_none'])).stderr).toContain('error[not-found] there is no session sess_none');
  });
});

describe('agentrun cancel', () => {
  it('takes a run, a command and a session', async () => {
    const { runId } = await sessionWithRun();
    expect((await call(['cancel', runId, '--reason', 'not needed'])).stdout).toBe(`${runId} cancelled\n`);
    expect(await manager.run(runId)).toMatchObject({ cancelReason: 'not needed' });

    const { stdout } = await call(['run', 'x', '--no-wait', '--no-runner', '-o', 'json']);
    const { commandId, sessionId } = JSON.parse(stdout) as { commandId: string; sessionId: string };
    expect((await call(['cancel', commandId])).stdout).toBe(`${commandId} cancelled\n`);
    expect((await call(['cancel', sessionId])).stdout).toMatch(/^run_\w+ cancelled\n$/);
    expect(await call(['cancel', sessionId])).toMatchObject({ code: 1 });
  });

  it('says of a run that its runner still ends it', async () => {
    const running = call(['run', 'x', '--wait']);
    const { runner, commandId } = await nextRunner();
    const { stdout, stderr } = await call(['cancel', runner.runId]);
    expect(stdout).toBe(`${runner.runId} cancelling\n`);
    expect(stderr).toContain(`npx agentrun logs ${runner.runId} -f`);
    await runner.report(commandId, 'cancelled', { failureKind: 'cancelled' });
    expect((await running).code).toBe(3);
  });
});

describe('the lists', () => {
  it('show sessions and runs as tables that fit the terminal', async () => {
    const { runId, sessionId } = await sessionWithRun();
    const runs = await call(['runs', '--session', sessionId]);
    expect(runs.stdout).toMatch(/^RUN +STATUS +PROFILE +CREATED \(UTC\) +SESSION\n/);
    expect(runs.stdout).toMatch(new RegExp(`^${runId}  pending  codex    \\S+ \\S+  ${sessionId}$`, 'm'));
    const sessions = await call(['sessions'], { tty: true, env: { NO_COLOR: '1' } });
    const lines = sessions.stdout.split('\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(sessions.stdout).toContain(sessionId);
  });

  it('gather as many pages as are asked for', async () => {
    const { stdout } = await call(['runs', '--limit', '3', '-o', 'json']);
    const { items, cursor } = JSON.parse(stdout) as { items: object[]; cursor: string };
    expect(items).toHaveLength(3);
    expect(cursor).not.toBeNull();
    expect((await call(['runs', '--limit', '3'])).stderr).toBe('There are more: --limit 6\n');
  });

  it('say when there is nothing', async () => {
    const { code, stdout, stderr } = await call(['runs', '--status', 'blocked', '--profile', 'minimax-m3']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'There are no runs of that kind.\n' });
  });
});

describe('agentrun doctor', () => {
  it('tells every violation, and ends with 1 when there is one', async () => {
    const { runId } = await sessionWithRun();
    expect(await call(['doctor'])).toMatchObject({ code: 0, stdout: expect.stringContaining('no violation') });
    await manager.running.serving.pool.query(
      'UPDATE agentrun_runs SET last_event_seq = last_event_seq + 5 WHERE id = $1',
      [runId],
    );
    try {
      const { code, stdout } = await call(['doctor']);
      expect(code).toBe(1);
      expect(stdout).toContain(`events-have-no-hole ${runId}`);
      expect(JSON.parse((await call(['doctor', '-o', 'json'])).stdout)).toMatchObject({ ok: false });
    } finally {
      await manager.running.serving.pool.query(
        'UPDATE agentrun_runs SET last_event_seq = last_event_seq - 5 WHERE id = $1',
        [runId],
      );
    }
  });
});

describe('agentrun diff-session', () => {
  it('shows what lies in the workspace, as a patch, as counts, and file by file', async () => {
    await manager.ask('POST', 'sessions', { sessionId: 'sess_diff', tenantId: 't', projectId: 'p' });
    const workspace = join(manager.dataDir, 'sessions', 'sess_diff', 'g1', 'workspace');
    expect(await call(['diff-session', 'sess_diff'])).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Nothing was changed.\n',
    });
    writeFileSync(join(workspace, 'notes.md'), 'hello\n');
    writeFileSync(join(workspace, 'logo.bin'), Buffer.from([0, 255, 1]));
    const { stdout } = await call(['diff-session', 'sess_diff']);
    expect(stdout).toMatch(/^# the workspace: 2 files, \+1 -0\ndiff --git /);
    expect(stdout).toContain('\n+hello\n');
    expect((await call(['diff-session', 'sess_diff', '--stat'])).stdout).toBe('# the workspace: 2 files, +1 -0\n');
    expect((await call(['diff-session', 'sess_diff', '--file', '.'])).stdout).toBe('logo.bin\nnotes.md\n');
    expect((await call(['diff-session', 'sess_diff', '--file', 'notes.md'])).stdout).toBe('hello\n');
    expect((await call(['diff-session', 'sess_diff', '--file', 'logo.bin'])).stdout).toBe('\0\u00ff\u0001');
    const json = JSON.parse((await call(['diff-session', 'sess_diff', '-o', 'json'])).stdout) as { items: object[] };
    expect(json.items).toMatchObject([{ path: '.', bundleCommit: null, files: 2, insertions: 1 }]);
  });

  it('says of a session without a workspace that there is none', async () => {
    expect(await call(['diff-session', 'sess_none'])).toMatchObject({ code: 1 });
  });
});

describe('what goes wrong', () => {
  it('is told with code, what and next step, and never with the key', async () => {
    const wrong = 'wrong-key-that-must-not-be-seen-0123456789';
    const { code, stderr } = await call(['runs'], { env: { AGENTRUN_API_KEY: wrong } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error\[unauthenticated\] .*\n {2}hint: .*--api-key-file/);
    expect(stderr).not.toContain(wrong);
  });

  it('names the field, what was received and what is allowed', async () => {
    const { stderr } = await call(['run', 'x', '--profile', 'nobody']);
    expect(stderr).toContain('error[schema-invalid] body.backendProfile names no profile, received "nobody"');
  });

  it('is one JSON document where programs look', async () => {
    const { code, stdout, stderr } = await call(['logs', 'run_none', '-o', 'json']);
    expect(code).toBe(1);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'not-found', hint: expect.any(String) } });
  });

  it.each([
    ['no prompt', ['run']],
    ['an empty prompt', ['run', '  ']],
    ['an unknown option', ['runs', '--colour']],
    ['a word that is not of the list', ['runs', '--status', 'sleeping']],
    ['a timeout that is no number', ['run', 'x', '--timeout', 'soon']],
    ['a file that is not there', ['run', 'x', '--file', 'none.md']],
    ['an address with a password', ['runs', '--url', 'http://me:secret@localhost:1']],
    ['-f without its partner', ['logs', 'run_1', '--until-idle']],
  ])('ends with 2 for %s', async (_what, args) => {
    expect((await call(args)).code).toBe(2);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LaneRepository, laneRepository } from '../../helpers/lane-repository.ts';
import { killAllWith, livingWith } from '../../helpers/living-processes.ts';
import { codeBlocks } from '../../helpers/markdown-blocks.ts';
import { REPOSITORY } from '../../helpers/repository-root.ts';

const agentrun = join(REPOSITORY, 'synth', 'bin', 'agentrun.js');

let scratch: string;
let data: string;
let lanes: LaneRepository;

beforeAll(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), 'agentrun-quickstart-')));
  data = join(scratch, 'data');
  lanes = laneRepository({ remote: 'https://git.example.com/agentrun/agentrun.git' });
});
// What a test that failed left running must not fail the next one.
afterEach(() => killAllWith(scratch));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
  lanes.remove();
});

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
  /** Resolves when it has printed the text; rejects when it ends without. */
  readonly until: (text: string) => Promise<void>;
}

/** Runs a command line as a person would: the compiled program, in a folder with lanes. */
function start(...args: string[]): Started {
  // What a person has set for other things must not be used.
  const env = { PATH: process.env['PATH'], HOME: scratch, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
  const child = spawn(process.execPath, [agentrun, ...args], {
    cwd: lanes.dir,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const until = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => output.includes(text) && resolve();
      child.stdout.on('data', look);
      look();
      void exit.then((code) => reject(new Error(`it ended with ${code} before "${text}":\n${output}`)));
    });
  return { child, output: () => output, exit, until };
}

/** The commands that a page shows with what they print; those of the client without the program's name. */
function transcripts(page: string): { command: string; output: string }[] {
  const text = readFileSync(join(REPOSITORY, page), 'utf8');
  const blocks = codeBlocks(text).filter(({ language }) => language === 'text');
  return blocks.flatMap(({ text: block }) =>
    block
      .split(/^\$ (?=npm run quickstart|npx agentrun)/m)
      .filter((part) => part !== '')
      .map((part) => {
        const [line = '', ...output] = part.split('\n');
        return { command: line.replace(/^npx agentrun /, ''), output: output.join('\n') };
      }),
  );
}

const wordsOf = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
const idsIn = (text: string): string[] => [...new Set(text.match(/\b(?:sess|run|cmd)_[a-z0-9]+/g))];

/** What differs from start to start: ids, digests, times, the port, the folder. */
const shape = (text: string): string =>
  text
    .replaceAll(/\b(sess|run|cmd)_[a-z0-9]+/g, '$1_id')
    .replaceAll(/sha256:[0-9a-f]{12}/g, 'sha256:digest')
    .replaceAll(/commit [0-9a-f]{12}/g, 'commit id')
    .replaceAll(/index 0{7}\.\.[0-9a-f]{7}/g, 'index id')
    .replaceAll(/\d+\.\d s/g, 'N s')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:port')
    .replaceAll(/(\d+) rules/g, 'N rules')
    .replaceAll(data, '/home/you/.local/state/agentrun')
    .replaceAll(` --data-dir ${data}`, '')
    .replaceAll(' --data-dir /home/you/.local/state/agentrun', '');

const quickstart = (...args: string[]) => start('quickstart', '--data-dir', data, '--port', '0', ...args);
const client = async (...args: string[]) => {
  const call = start(...args, '--data-dir', data);
  await call.exit;
  return call.output();
};

describe('the quickstart', () => {
  it('goes from the lane to what the agent did, and ends after the turn', async () => {
    const first = quickstart('--exit');
    expect(await first.exit).toBe(0);
    const text = first.output();
    const steps = [...text.matchAll(/^(data|render|publish|verify|start|session|turn|end) /gm)].map(([, step]) => step);
    expect(steps).toEqual(['data', 'render', 'publish', 'verify', 'start', 'session', 'turn', 'end']);
    for (const page of ['README.md', 'docs/quickstart.md']) {
      const [shown] = transcripts(page);
      expect(shape(text), page).toBe(shape(shown?.output ?? ''));
    }
    expect(livingWith(data)).toEqual([]);
  });

  it('goes on with its data, is of use to the client, and ends with Ctrl-C', async () => {
    // What is not committed is tried out all the same.
    lanes.write('lanes/v0.2.yaml.txt', 'a draft\n');
    const second = quickstart();
    await second.until('Ctrl-C ends everything');
    const text = second.output();
    expect(text).toContain(`${data}, from an earlier start`);
    expect(text).toContain('from a copy, since lanes/v0.2.yaml.txt has changes that are not committed');
    const sessionId = /^session +(sess_\w+)/m.exec(text)?.[1] ?? '';
    expect(await client('send', sessionId, 'and once more', '--wait')).toContain('This is turn 2; your first was:');
    expect(await client('logs', sessionId)).toContain('> and once more');

    // The page on the client, command by command; its ids stand for those that are seen here.
    const ids = new Map<string, string>();
    for (const { command, output } of transcripts('docs/client.md')) {
      const seen = await client(...wordsOf(command).map((word) => ids.get(word) ?? word));
      expect(shape(seen)).toBe(shape(output));
      for (const [at, id] of idsIn(output).entries()) ids.set(id, idsIn(seen)[at] ?? '');
    }
    expect((await client('sessions')).match(/^sess_/gm)).toHaveLength(3);

    const third = quickstart();
    expect(await third.exit).toBe(1);
    expect(third.output()).toContain('error[data-folder-busy]');
    const reset = quickstart('--reset');
    expect(await reset.exit).toBe(1);
    expect(reset.output()).toContain('error[data-folder-busy]');

    second.child.kill('SIGINT');
    expect(await second.exit).toBe(0);
    expect(livingWith(data)).toEqual([]);
  });

  it('leaves nothing when the manager was killed', async () => {
    const broken = quickstart();
    await broken.until('Ctrl-C ends everything');
    const manager = Number(/"pid":(\d+)/.exec(await lock())?.[1]);
    process.kill(manager, 'SIGKILL');
    expect(await broken.exit).toBe(1);
    expect(broken.output()).toContain('error[start-failed] the manager ended with SIGKILL');
    expect(livingWith(data)).toEqual([]);
  });

  it('ends at once with the second Ctrl-C, in the middle of a turn, and can be reset', async () => {
    const last = quickstart('--prompt', 'something slow');
    await last.until('step 2 of 20');
    last.child.kill('SIGINT');
    await last.until('Ctrl-C again');
    setTimeout(() => last.child.kill('SIGINT'), 300);
    await last.until('at once');
    expect(await last.exit).toBe(130);
    expect(livingWith(data)).toEqual([]);

    const reset = quickstart('--reset', '--lane', 'v9.9');
    expect(await reset.exit).toBe(1);
    expect(reset.output()).toContain(`reset     removed ${data}`);
    expect(reset.output()).toContain('error[lane-not-found]');
    expect(existsSync(join(data, 'postgres'))).toBe(false);
  });
});

async function lock(): Promise<string> {
  const names = (await readdir(data)).filter((name) => name.startsWith('manager.lock.'));
  return await readFile(join(data, names.sort().at(-1) ?? ''), 'utf8');
}

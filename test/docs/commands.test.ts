import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../synth/src/program.ts';
import { codeBlocks } from '../helpers/markdown-blocks.ts';
import { pages } from '../helpers/pages.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';

type Command = ReturnType<typeof createProgram>;

const agentrun = join(REPOSITORY, 'synth', 'bin', 'agentrun.js');

/** The arguments of `agentrun` that a command line of a page stands for; undefined for another program. */
function agentrunArguments(line: string): string[] | undefined {
  const script = /^npm run (synth|agentrun) -- (.*)$/.exec(line) ?? /^(?:npx )?(agentrun) (.*)$/.exec(line);
  if (script === null) return undefined;
  const [, name, rest = ''] = script;
  const words = rest.split(' ').filter((word) => word !== '');
  return name === 'synth' ? ['synth', ...words] : words;
}

/** A repository of its own with the lanes of this one, committed, and a remote, as a clone has. */
function laneRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), 'agentrun-docs-'));
  cpSync(join(REPOSITORY, 'lanes'), join(folder, 'lanes'), { recursive: true });
  const git = (...args: string[]) =>
    spawnSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...args], { cwd: folder });
  git('init', '--quiet', '--initial-branch=main');
  git('remote', 'add', 'origin', 'https://git.example.com/you/agentrun.git');
  writeFileSync(join(folder, '.gitignore'), 'dist/\n');
  git('add', '.');
  git('commit', '--quiet', '--message=lanes');
  return folder;
}

/** What a person sees: the text for people, then what is for programs. */
function run(line: string, cwd: string): string {
  const args = agentrunArguments(line);
  const [program, rest] = args === undefined ? ['sh', ['-c', line]] : [process.execPath, [agentrun, ...args]];
  const { stdout, stderr } = spawnSync(program, rest, { cwd, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  return stderr + stdout;
}

/** Digests and commits differ from commit to commit. */
const shape = (text: string): string =>
  text.replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:<digest>').replaceAll(/\b[0-9a-f]{40}\b/g, '<commit>');

const shown = pages().flatMap(({ path, text }) => {
  const transcripts = codeBlocks(text).filter(({ language }) => language === 'console');
  return transcripts.length === 0 ? [] : [{ path, transcripts: transcripts.map((block) => block.text).join('') }];
});

// The pages edit a lane with `sed -i`, which other systems spell otherwise.
describe.skipIf(process.platform !== 'linux')('what the pages show of a terminal', () => {
  it('begins with the README', () => {
    expect(shown.map(({ path }) => path)).toContain('README.md');
  });

  it.each(shown)('is what one sees: $path', ({ transcripts }) => {
    const folder = laneRepository();
    try {
      const commands = [...transcripts.matchAll(/^\$ (.*)$/gm)].map(([, line = '']) => line);
      const seen = commands.map((line) => `$ ${line}\n${run(line, folder)}`).join('');
      expect(shape(transcripts)).toBe(shape(seen));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

const terminal = { stdout: { write: () => true }, stderr: { write: () => true }, env: {}, cwd: () => REPOSITORY };
const program = createProgram(terminal, () => {});

/** The command that the words lead to, and the words that are left. */
function commandOf(words: readonly string[]): { command: Command; rest: readonly string[] } {
  let command = program;
  let rest = words;
  for (;;) {
    const next = command.commands.find((candidate) => candidate.name() === rest[0]);
    if (next === undefined) return { command, rest };
    command = next;
    rest = rest.slice(1);
  }
}

const lines = pages().flatMap(({ path, text }) =>
  codeBlocks(text)
    .filter(({ language }) => language === 'sh' || language === 'console')
    .flatMap(({ text: block }) => block.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => ({ path, line: line.replace(/^\$ /, '').replace(/ (?:\||>|#).*$/, '') }))
    .filter(({ line }) => agentrunArguments(line) !== undefined),
);

describe('every command line of the pages', () => {
  it.each(lines)('is known to the program: $line ($path)', ({ line }) => {
    const { command, rest } = commandOf(agentrunArguments(line) ?? []);
    expect(command).not.toBe(program);
    const known = command.options.flatMap(({ short, long }) => [short, long]);
    const flags = rest.filter((word) => word.startsWith('-')).map((word) => word.replace(/=.*$/, ''));
    expect(flags.filter((flag) => !known.includes(flag) && flag !== '--help')).toEqual([]);
  });
});

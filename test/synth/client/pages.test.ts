import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLIENT_ERRORS } from '../../../synth/src/client/client-error.ts';
import { EXIT } from '../../../synth/src/client/exit-code.ts';
import { createProgram } from '../../../synth/src/program.ts';
import { REPOSITORY } from '../../helpers/repository-root.ts';

const page = (name: string) => readFileSync(join(REPOSITORY, 'docs', name), 'utf8');
const section = (text: string, title: string) => text.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
const firstCells = (text: string) => [...text.matchAll(/^\| +`?([^`|]+?)`? +\|/gm)].map(([, cell = '']) => cell);

const terminal = { stdout: { write: () => true }, stderr: { write: () => true }, env: {}, cwd: () => REPOSITORY };
const program = createProgram(terminal, () => {});
const command = (name: string) => program.commands.find((one) => one.name() === name);

describe('the pages on the client and the quickstart', () => {
  it('explain every code, and none that does not exist', () => {
    const explained = ['client.md', 'quickstart.md'].flatMap((name) =>
      firstCells(section(page(name), 'When it fails')).filter(
        (cell) => /^[a-z][a-z-]*$/.test(cell) && cell !== 'usage',
      ),
    );
    expect([...explained, 'usage'].sort()).toEqual(Object.keys(CLIENT_ERRORS).sort());
  });

  it('name every exit code', () => {
    const codes = firstCells(section(page('client.md'), 'Exit codes')).filter((cell) => /^\d+$/.test(cell));
    expect(codes.map(Number)).toEqual(Object.values(EXIT));
  });

  it('name every command of the client', () => {
    const named = firstCells(page('client.md').split('\n## ', 1)[0] ?? '').flatMap(
      (cell) => /^agentrun ([a-z-]+)/.exec(cell)?.[1] ?? [],
    );
    expect(named.map((name) => command(name)?.name())).toEqual(named);
    expect(named).toHaveLength(8);
  });

  it('name every option of the quickstart', () => {
    const options = command('quickstart')?.options.map(({ long }) => long) ?? [];
    const named = firstCells(section(page('quickstart.md'), 'Data, Ctrl-C, reset')).flatMap(
      (cell) => /^--[a-z][a-z-]*/.exec(cell)?.[0] ?? [],
    );
    expect(new Set(named)).toEqual(new Set(options));
  });
});

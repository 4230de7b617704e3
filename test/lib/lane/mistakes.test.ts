import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { validateLane } from '../../../lib/src/lane/validate-lane.ts';

interface Expected {
  file: string;
  problems: { code: string; line: number; column: number; lanePath?: string }[];
}

const folder = join(import.meta.dirname, '../../fixtures/lanes/mistakes');
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected[];

describe('lanes with seeded mistakes', () => {
  it('are all in the table', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    expect(expected.map(({ file }) => file).sort()).toEqual(files.sort());
    expect(files.length).toBeGreaterThanOrEqual(64);
  });

  describe.each(expected)('$file', ({ file, problems }) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const found = validateLane(text, file);

    it('has exactly the problems of the table, in order', () => {
      expect(
        found.problems.map(({ code, line, column, lanePath }) => ({
          code,
          line,
          column,
          ...(lanePath === undefined ? {} : { lanePath }),
        })),
      ).toEqual(problems);
      expect(found.lane).toBeUndefined();
    });

    it('speaks to people, and shows the line', () => {
      const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
      for (const { message, hint = '', frame = '', line = 0, lanePath } of found.problems) {
        expect(`${message} ${hint}`).not.toMatch(/must NOT|must match|should|undefined|\[object|\n\s+at /);
        expect(message).not.toMatch(/ajv|instancePath|Plain value|Implicit|flow (?:map|sequence)/);
        if (lanePath !== undefined) expect(message).toMatch(/^(?:the key|a key of|[A-Za-z_.[\]0-9"/!-]+ )/);
        const [marked = '', marker = ''] = frame
          .split('\n')
          .slice(frame.split('\n').findIndex((row) => row.startsWith('>')));
        expect(marked).toMatch(new RegExp(`^> +${line} \\|`));
        expect(marker).toMatch(/^ +\| +\^~*$/);
        const first = (lines[line - 1] ?? '').trim().split(/[\s:]/)[0] ?? '';
        if (!/[\p{Cc}]/u.test(first)) expect(marked).toContain(first);
      }
    });

    it('never prints a secret or a control character', () => {
      const printed = found.problems.map(({ frame, message, hint }) => `${frame} ${message} ${hint}`).join(' ');
      expect(printed).not.toMatch(/hunter2|correct-horse/);
      expect(printed.replaceAll('\n', ' ')).not.toMatch(/\p{Cc}/u);
    });
  });

  it('name the field that is meant, or the place where it belongs', () => {
    const hintOf = (name: string) => {
      const file = expected.map((row) => row.file).find((row) => row.endsWith(`${name}.yaml`)) ?? '';
      return validateLane(readFileSync(join(folder, basename(file)), 'utf8'), file).problems[0]?.hint;
    };
    expect(hintOf('typo-key-level-two')).toBe('Did you mean "repoURL"?');
    expect(hintOf('typo-key-snake-case')).toBe('Did you mean "idleTimeoutMs"?');
    expect(hintOf('field-in-wrong-place')).toBe('A field of this name belongs in runtime.');
    expect(hintOf('bad-enum')).toBe('Did you mean "poll"?');
    expect(hintOf('missing-field')).toBe('add: maxRunners: 20');
    expect(hintOf('boolean-as-yes')).toBe('Write true, without quotes.');
    expect(hintOf('text-as-number')).toBe('Put it in quotes: "300000"');
  });
});

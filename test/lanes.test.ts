import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { validate } from '../lib/src/lane/validator.gen.ts';

const folder = join(import.meta.dirname, '../lanes');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const text = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe('the lanes of this repository', () => {
  it('include v0.1', () => {
    expect(files).toContain('v0.1.yaml');
  });

  it.each(files)('%s fits the schema, and begins with the line that editors look for', (name) => {
    expect(text(name).split('\n')[0]).toBe('# yaml-language-server: $schema=./lane.schema.json');
    expect({ fits: validate(parse(text(name))), errors: validate.errors }).toEqual({ fits: true, errors: null });
  });

  it.each(files)('%s is in block style, and each of its groups is explained', (name) => {
    const lines = text(name).split('\n');
    expect(lines.filter((line) => /^[^#]*[:-] +[[{]/.test(line))).toEqual([]);
    for (const [index, line] of lines.entries()) {
      if (!/^[a-z][A-Za-z]*:/.test(line) || line.startsWith('deployment:')) continue;
      expect(lines[index - 1], `the line above "${line}"`).toMatch(/^# /);
    }
  });

  it('v0.1 marks the digest of its tools image as an example', () => {
    const digest = createHash('sha256').update('agentrun example tools image').digest('hex');
    expect(text('v0.1.yaml')).toMatch(new RegExp(`This is an example digest[^]*ci-tools:0\\.1@sha256:${digest}\n`));
  });
});

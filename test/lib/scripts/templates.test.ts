import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedFiles } from '../../../lib/scripts/generated-files.ts';
import { checkTemplate, makeTemplates, TEMPLATE_FILES } from '../../../lib/scripts/templates.ts';
import { AgentRunError } from '../../../lib/src/errors.ts';
import { templates } from '../../../lib/src/manifests/templates.gen.ts';

const root = join(import.meta.dirname, '../../..');
const check = (text: string): string => checkTemplate('x.sh', new TextEncoder().encode(text));

describe('the compiled templates', () => {
  it('are the files of templates/, to the byte', () => {
    expect(Object.keys(templates)).toEqual(TEMPLATE_FILES);
    for (const [name, text] of Object.entries(templates))
      expect(text).toBe(readFileSync(join(root, 'templates', name), 'utf8'));
  });

  it('are fresh, and checked fresh with the other generated files', async () => {
    const path = 'lib/src/manifests/templates.gen.ts';
    expect(readFileSync(join(root, path), 'utf8')).toBe(await makeTemplates(root));
    expect(generatedFiles.find((file) => file.path === path)?.make).toBe(makeTemplates);
  });
});

describe('a template', () => {
  it('may hold any text of UTF-8', () => {
    const text = '#!/bin/sh\nprintf "%s" "ä 日本 🎉 $(context) \\"quoted\\""\n';
    expect(check(text)).toBe(text);
  });

  it.each([
    ['a\tb\n', 'templates/x.sh:1 holds the character U+0009'],
    ['a\nb\r\n', 'templates/x.sh:2 holds the character U+000D'],
    ['a\u0000\n', 'holds the character U+0000'],
    ['\ufeffa\n', 'templates/x.sh:1 holds the character U+FEFF'],
    ['a\u2028b\n', 'holds the character U+2028'],
    ['a\u0085b\n', 'holds the character U+0085'],
    ['a\n\necho $(params.revision)\n', 'templates/x.sh:3 holds "$(params."; values reach a script by its environment'],
    ['cd $(workspaces.source.path)\n', 'holds "$(workspaces."'],
    ["echo $(params['x'])\n", 'holds "$(params["'],
    ['a', 'templates/x.sh does not end with a line feed.'],
    ['', 'templates/x.sh does not end with a line feed.'],
  ])('%j is refused', (text, message) => {
    expect(() => check(text)).toThrow(AgentRunError);
    expect(() => check(text)).toThrow(message);
  });

  it('that is not UTF-8 is refused', () => {
    expect(() => checkTemplate('x.sh', Uint8Array.of(0x61, 0xff, 0x0a))).toThrow('templates/x.sh is not UTF-8 text.');
  });
});

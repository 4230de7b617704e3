import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentRunError } from '../src/errors.ts';

/** The files below `templates/` that the library needs at run time, as paths with "/". */
export const TEMPLATE_FILES: readonly string[] = [
  'tekton/clone.sh',
  'tekton/check.sh',
  'tekton/prove.sh',
  'tekton/publish.sh',
];

// Looked for within a line: control characters, the line and paragraph separators, the byte order mark.
const FORBIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\ufeff]/u;
/** What Tekton replaces in a script before the step runs: a value would become code. */
const SUBSTITUTION = /\$\((?:params|workspaces|context|results|tasks|steps|step)[.[]/;

/** Returns the text of one template, or throws `template-invalid` with the line that is wrong. */
export function checkTemplate(name: string, bytes: Uint8Array): string {
  const invalid = (what: string): AgentRunError => new AgentRunError('template-invalid', `templates/${name}${what}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new AgentRunError('template-invalid', `templates/${name} is not UTF-8 text.`, { cause });
  }
  for (const [index, line] of text.split('\n').entries()) {
    const control = FORBIDDEN.exec(line)?.[0];
    if (control !== undefined) {
      const code = (control.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      throw invalid(`:${index + 1} holds the character U+${code}; line feed is the only control character allowed.`);
    }
    const substitution = SUBSTITUTION.exec(line)?.[0];
    if (substitution !== undefined) {
      throw invalid(`:${index + 1} holds "${substitution}"; values reach a script by its environment only.`);
    }
  }
  if (!text.endsWith('\n')) throw invalid(' does not end with a line feed.');
  return text;
}

/** The module that holds the templates as text, so that the library reads no files at run time. */
export async function makeTemplates(root: string): Promise<string> {
  const lines: string[] = [];
  for (const name of TEMPLATE_FILES) {
    const text = checkTemplate(name, await readFile(join(root, 'templates', name)));
    lines.push(`  ${JSON.stringify(name)}: ${JSON.stringify(text)},`);
  }
  return [
    '// Made by "npm run generate": the files of templates/ that the library needs. Do not edit.',
    'export const templates = {',
    ...lines,
    '} as const;',
    '',
  ].join('\n');
}

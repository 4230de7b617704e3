import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts';
import { code, page, pageHead, table } from './markdown.ts';

const INTRO = `Every problem that AgentRun reports has a code. Programs decide by the code; the message is for people and may change. A
problem also says where it stands: the file, line and column, the lane field, and for a fault of the output the rendered
object and a JSON pointer into it. It never quotes a secret.

In the library, problems travel in an \`AgentRunError\`, or come as a list from the functions that judge. On the command
line, \`--format\` prints them as \`text\`, \`json\`, \`sarif\` or \`github\` annotations.

The table says the next step for each code. A message with a better one, such as "Did you mean ...?", prints its own.`;

/** One group of the table of codes: the comment that stands above it, and its codes. */
export interface CodeGroup {
  readonly title: string;
  readonly codes: readonly ErrorCode[];
}

/** Reads the groups from the source of the table; refuses a source that it does not understand whole. */
export function codeGroups(source: string): CodeGroup[] {
  const body = /ERROR_CODES = \{\n([^]*?)\n\} as const/.exec(source)?.[1] ?? '';
  const groups: { title: string; codes: ErrorCode[] }[] = [];
  for (const line of body.split('\n')) {
    const title = /^ {2}\/\/ (.+)$/.exec(line)?.[1];
    const name = /^ {2}'?([a-z][a-z-]*)'?:/.exec(line)?.[1];
    if (title !== undefined) groups.push({ title, codes: [] });
    else if (name !== undefined) groups.at(-1)?.codes.push(name as ErrorCode);
  }
  const found = groups.flatMap(({ codes }) => codes);
  const known = Object.keys(ERROR_CODES);
  if (found.length !== known.length || found.some((name, at) => name !== known[at])) {
    throw new Error('the table of error codes is written in a form that the generator does not understand');
  }
  return groups;
}

/** The page of error codes. */
export async function errorsPage(root: string): Promise<string> {
  const groups = codeGroups(await readFile(join(root, 'lib', 'src', 'errors.ts'), 'utf8'));
  return page([
    ...pageHead('Error codes', 'lib/src/errors.ts'),
    INTRO,
    '',
    ...groups.flatMap(({ title, codes }) => [
      `## ${title}`,
      '',
      ...table(
        ['Code', 'Next step'],
        codes.map((name) => [code(name), ERROR_CODES[name].replaceAll('<', '\\<')]),
      ),
      '',
    ]),
  ]);
}

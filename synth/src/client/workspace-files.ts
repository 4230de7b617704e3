import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import type { BundleFile } from '@agentrun/lib/contract';
import { clientError } from './client-error.ts';

const LARGEST_BYTES = 4 * 1024 * 1024;

/**
 * Files of this machine for the workspace: each `LOCAL` or `LOCAL=PATH`. Without a path the file lies where it lies below
 * the working directory; from elsewhere it comes by its name alone.
 *
 * @throws ClientError `file-unreadable`, or `usage` for files that are too large together
 */
export async function workspaceFiles(given: readonly string[], cwd: string): Promise<BundleFile[]> {
  const files: BundleFile[] = [];
  let bytes = 0;
  for (const argument of given) {
    const [local, path] = splitOnce(argument);
    const file = resolve(cwd, local);
    const { content, mode } = await read(file, local);
    bytes += content.length;
    if (bytes > LARGEST_BYTES) {
      const hint = 'Put larger things into a git repository, or where the agent can fetch them.';
      throw clientError('usage', `the files have more than ${LARGEST_BYTES} bytes together`, hint);
    }
    const text = isUtf8(content) && !content.includes(0);
    files.push({
      path: path ?? placeOf(file, cwd),
      ...(text ? { content: content.toString('utf8') } : { contentBase64: content.toString('base64') }),
      ...(mode & 0o100 ? { mode: '755' } : {}),
    });
  }
  return files;
}

function splitOnce(text: string): [string, string?] {
  const at = text.lastIndexOf('=');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

async function read(file: string, shown: string): Promise<{ content: Buffer; mode: number }> {
  try {
    const { mode } = await stat(file);
    return { content: await readFile(file), mode };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw clientError('file-unreadable', `the file ${shown} cannot be read: ${reason}`);
  }
}

function placeOf(file: string, cwd: string): string {
  const path = relative(cwd, file);
  const isBelow = path !== '' && !isAbsolute(path) && path.split(sep)[0] !== '..';
  return isBelow ? path.split(sep).join('/') : basename(file);
}

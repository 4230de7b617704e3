import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkspaceFile } from '@agentrun/lib/contract';
import { Failure } from '../failure.ts';
import { placeBelow } from './workspace-path.ts';

/** Bytes of a file that are shown. */
const SHOWN_BYTES = 1024 * 1024;
/** Entries of a folder that are shown. */
const SHOWN_ENTRIES = 2000;

/** @throws Failure `not-found`, `schema-invalid`; `conflict` for what is neither a file nor a folder */
export async function readWorkspaceFile(workspace: string, path: string): Promise<WorkspaceFile> {
  const place = await placeBelow(workspace, path);
  const info = await stat(place);
  if (info.isDirectory()) {
    const found = await readdir(place, { withFileTypes: true });
    const entries = found
      .map((entry) => ({
        name: entry.name,
        kind: entry.isDirectory()
          ? ('directory' as const)
          : entry.isFile()
            ? ('file' as const)
            : entry.isSymbolicLink()
              ? ('link' as const)
              : ('other' as const),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      path,
      kind: 'directory',
      entries: entries.slice(0, SHOWN_ENTRIES),
      truncated: entries.length > SHOWN_ENTRIES,
    };
  }
  // A pipe would keep the reader for ever.
  if (!info.isFile())
    throw new Failure('conflict', `${JSON.stringify(join(path).slice(0, 200))} is neither a file nor a folder`);
  const file = await open(place, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(info.size, SHOWN_BYTES)), 0, undefined, 0);
    const bytes = buffer.subarray(0, bytesRead);
    const base = { path, kind: 'file' as const, size: info.size, truncated: info.size > bytesRead };
    const content = textOf(bytes);
    return content === null ? { ...base, contentBase64: bytes.toString('base64') } : { ...base, content };
  } finally {
    await file.close();
  }
}

function textOf(bytes: Buffer): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

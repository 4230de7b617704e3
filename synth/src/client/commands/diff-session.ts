import type { WorkspaceChange, WorkspaceChanges, WorkspaceFile } from '@agentrun/lib/contract';
import { mayColour, type Terminal } from '../../terminal.ts';
import { type Client, type ClientOptions, openClient, printJson } from '../client.ts';
import { EXIT } from '../exit-code.ts';
import { type Paints, paintedDiffLine, paints } from '../transcript/paint.ts';
import { plainLine, plainText } from '../transcript/plain-text.ts';
import { counted } from '../transcript/tool-block.ts';

export interface DiffSessionOptions extends ClientOptions {
  readonly stat?: boolean;
  /** A file or a folder of the workspace. */
  readonly file?: string;
}

/** Shows what the agent of a session changed, or one file of its workspace. */
export async function diffSession(id: string, options: DiffSessionOptions, terminal: Terminal): Promise<number> {
  const client = await openClient(options, terminal);
  const path = `sessions/${encodeURIComponent(id)}`;
  if (options.file !== undefined) return await showFile(client, path, options.file);
  const changes = await client.api.ask<WorkspaceChanges>('GET', `${path}/changes`);
  if (client.json) {
    printJson(client, changes);
    return EXIT.ok;
  }
  const paint = paints(mayColour(terminal, terminal.stdout));
  const changed = changes.items.filter(({ files }) => files > 0);
  for (const change of changed) print(change, options.stat === true, paint, terminal);
  if (changed.length === 0) terminal.stderr.write('Nothing was changed.\n');
  return EXIT.ok;
}

function print(change: WorkspaceChange, stat: boolean, paint: Paints, { stdout }: Terminal): void {
  const { path, bundleCommit, files, insertions, deletions, patch, truncated } = change;
  const since = bundleCommit === null ? '' : ` since ${bundleCommit.slice(0, 12)}`;
  const counts = `${counted(files, 'file')}, +${insertions} -${deletions}`;
  // Programs that apply patches pass over such a line.
  stdout.write(`${paint.tool(`# ${path === '.' ? 'the workspace' : plainLine(path)}${since}: ${counts}`)}\n`);
  if (stat) return;
  const lines = plainText(patch).replace(/\n$/, '').split('\n');
  if (patch !== '') stdout.write(`${lines.map((line) => paintedDiffLine(line, paint)).join('\n')}\n`);
  if (truncated) stdout.write(`${paint.warning('(the patch is cut; ask for single files with --file)')}\n`);
}

async function showFile(client: Client, session: string, file: string): Promise<number> {
  const found = await client.api.ask<WorkspaceFile>('GET', `${session}/files?path=${encodeURIComponent(file)}`);
  const { stdout } = client.terminal;
  if (client.json) {
    printJson(client, found);
    return EXIT.ok;
  }
  if (found.kind === 'directory') {
    for (const { name, kind } of found.entries ?? [])
      stdout.write(`${plainLine(name)}${kind === 'directory' ? '/' : ''}\n`);
  } else if (found.contentBase64 !== undefined) {
    const bytes = Buffer.from(found.contentBase64, 'base64');
    if (stdout.isTTY === true) client.terminal.stderr.write(`${bytes.length} bytes that are no text\n`);
    else stdout.write(bytes);
  } else stdout.write(stdout.isTTY === true ? plainText(found.content ?? '') : (found.content ?? ''));
  if (found.truncated) client.terminal.stderr.write('(cut: there is more)\n');
  return EXIT.ok;
}

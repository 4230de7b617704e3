import { isAbsolute, relative } from 'node:path';
import { isObject, type JsonObject, text } from '../json-rpc.ts';
import type { FileChange } from '../turn-events.ts';

/** A changed file of codex as an event: the path within the workspace, and a unified diff with its header. */
export function fileChangeOf(change: JsonObject, workspace: string, itemId: string): FileChange | null {
  const path = text(change['path']);
  if (path === undefined) return null;
  const kind = isObject(change['kind']) ? change['kind'] : {};
  const shown = within(path, workspace);
  const moved = text(kind['move_path']);
  const movedTo = moved === undefined ? undefined : within(moved, workspace);
  const body = text(change['diff']) ?? '';
  switch (kind['type']) {
    case 'add':
      return { itemId, path: shown, kind: 'add', diff: `--- /dev/null\n+++ b/${shown}\n${wholeFile(body, '+')}` };
    case 'delete':
      return { itemId, path: shown, kind: 'delete', diff: `--- a/${shown}\n+++ /dev/null\n${wholeFile(body, '-')}` };
    default:
      return {
        itemId,
        path: shown,
        kind: 'update',
        movedTo,
        diff: `--- a/${shown}\n+++ b/${movedTo ?? shown}\n${body}`,
      };
  }
}

function within(path: string, workspace: string): string {
  const below = relative(workspace, path);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? path : below;
}

/** Codex gives the whole text of a file that came or went. */
function wholeFile(content: string, sign: '+' | '-'): string {
  if (content === '') return '';
  const lines = content.split('\n');
  const ends = lines.at(-1) === '';
  if (ends) lines.pop();
  const range = sign === '+' ? `@@ -0,0 +1,${lines.length} @@` : `@@ -1,${lines.length} +0,0 @@`;
  const body = lines.map((line) => `${sign}${line}`).join('\n');
  return `${range}\n${body}\n${ends ? '' : '\\ No newline at end of file\n'}`;
}

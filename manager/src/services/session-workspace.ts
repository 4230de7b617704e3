import type { WorkspaceChanges, WorkspaceFile } from '@agentrun/lib/contract';
import { Failure } from '../failure.ts';
import type { WithVolumes } from './session-storage.ts';
import { sessionRow } from './sessions.ts';

/** What the agents of a session changed: a patch of each checkout against the commit of its bundle. */
export async function sessionChanges(manager: WithVolumes, sessionId: string): Promise<WorkspaceChanges> {
  const name = await volumeOf(manager, sessionId);
  const items = await manager.volumes.changes(name);
  return { sessionId, items: manager.redact.json([...items]), count: items.length, valuesPrinted: false as const };
}

/** A file or a folder of the workspace of a session. */
export async function sessionFile(manager: WithVolumes, sessionId: string, path: string): Promise<WorkspaceFile> {
  const file = await manager.volumes.file(await volumeOf(manager, sessionId), path);
  return manager.redact.json(file);
}

/** @throws Failure `session-store-evicted`; `not-found` for a session that has no volume yet */
async function volumeOf(manager: WithVolumes, sessionId: string): Promise<string> {
  const row = await sessionRow(manager.pool, sessionId);
  if (row.storage_kind === 'evicted') {
    throw new Failure('session-store-evicted', `the volume of session ${sessionId} was evicted`);
  }
  if (row.storage_pvc_name === null) throw new Failure('not-found', `session ${sessionId} has no volume yet`);
  return row.storage_pvc_name;
}

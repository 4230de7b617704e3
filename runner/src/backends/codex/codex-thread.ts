import { setTimeout as delay } from 'node:timers/promises';
import { BackendFailure } from '../backend-failure.ts';
import { isObject, type JsonObject, type JsonRpc, RpcError, text } from '../json-rpc.ts';
import { PROVIDER } from './config.ts';

export interface OpenedThread {
  readonly threadId: string;
  readonly resumed: boolean;
  /** The conversation that was asked for and is not there. */
  readonly replaces?: string;
}

const WRITER_PAUSE_MS = 200;

/**
 * Goes on with a conversation, or begins one. One that codex does not know is replaced by a new one, and the caller says
 * so: it may have ended before its first turn, or belong to another backend.
 *
 * @throws BackendFailure `infra-failed` when another process holds the conversation, `profile-invalid` when codex uses
 * another provider than ours; RpcError, RpcSilence
 */
export async function openThread(
  rpc: JsonRpc,
  threadId: string | null,
  cwd: string,
  timeoutMs: number,
): Promise<OpenedThread> {
  const resumed = threadId === null ? null : await resume(rpc, threadId, cwd, timeoutMs);
  if (resumed !== null) return { threadId: resumed, resumed: true };
  const answer = await rpc.call('thread/start', { cwd }, timeoutMs);
  return { threadId: idOf(answer), resumed: false, ...(threadId === null ? {} : { replaces: threadId }) };
}

/** @returns null for a conversation that codex does not know */
async function resume(rpc: JsonRpc, threadId: string, cwd: string, timeoutMs: number): Promise<string | null> {
  for (const until = performance.now() + timeoutMs; ; await delay(WRITER_PAUSE_MS)) {
    try {
      return idOf(await rpc.call('thread/resume', { threadId, cwd, excludeTurns: true }, timeoutMs));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (/no rollout found|invalid (?:thread|session) id|thread not found/i.test(error.message)) return null;
      // The process of a lost attempt may be on its way out.
      if (!/active writer/i.test(error.message)) throw error;
      if (performance.now() + WRITER_PAUSE_MS > until) {
        throw new BackendFailure('infra-failed', `another process holds the conversation ${threadId}`, {
          cause: error,
        });
      }
    }
  }
}

function idOf(answer: JsonObject): string {
  const thread = isObject(answer['thread']) ? answer['thread'] : {};
  const id = text(thread['id']);
  if (id === undefined) throw new BackendFailure('backend-protocol', 'codex named no conversation');
  if (answer['modelProvider'] === PROVIDER) return id;
  const used = JSON.stringify(answer['modelProvider']);
  throw new BackendFailure('profile-invalid', `codex uses the provider ${used}, not the one of the profile`);
}

import { ClientError } from './client-error.ts';
import type { ManagerApi } from './manager-api.ts';
import type { Page, Run, Session } from './records.ts';

/** The log of a run, or of a session with all its runs. */
export interface Log {
  /** Null for the log of one run. */
  readonly sessionId: string | null;
  /** The run, or the first one of the session that is read; null for a session without one. */
  readonly runId: string | null;
  /** Events of that run up to here are left out. */
  readonly afterSeq: number;
  /** Of the stream, with a query. */
  readonly streamPath: string;
  /** The id of the event after which the stream begins; absent for the begin of a session. */
  readonly after?: string;
}

/**
 * Finds what an id names. With `sinceSeq` the log of a session begins in the run that is open, else the last one.
 *
 * @throws ClientError `not-found` when there is neither a session nor a run of that id
 */
export async function findLog(api: ManagerApi, id: string, sinceSeq: number | undefined): Promise<Log> {
  const asRun = () => runLog(api, id, sinceSeq ?? 0);
  const asSession = () => sessionLog(api, id, sinceSeq);
  const [first, second] = id.startsWith('run_') ? [asRun, asSession] : [asSession, asRun];
  try {
    return await first();
  } catch (error) {
    if (!isMissing(error)) throw error;
    return await second().catch((other: unknown) => {
      throw isMissing(other) ? error : other;
    });
  }
}

const isMissing = (error: unknown): boolean => error instanceof ClientError && error.code === 'not-found';

async function runLog(api: ManagerApi, id: string, afterSeq: number): Promise<Log> {
  await api.ask<Run>('GET', `runs/${encodeURIComponent(id)}`);
  const streamPath = `runs/${encodeURIComponent(id)}/events?afterSeq=${afterSeq}`;
  return { sessionId: null, runId: id, afterSeq, streamPath };
}

async function sessionLog(api: ManagerApi, id: string, sinceSeq: number | undefined): Promise<Log> {
  const path = `sessions/${encodeURIComponent(id)}`;
  const session = await api.ask<Session>('GET', path);
  const runId = sinceSeq === undefined ? await firstRun(api, id) : (session.activeRunId ?? session.lastRunId);
  const afterSeq = sinceSeq ?? 0;
  const after = runId === null || sinceSeq === undefined ? {} : { after: `${runId}.${afterSeq}` };
  return { sessionId: id, runId, afterSeq, streamPath: `${path}/trace?limit=500`, ...after };
}

/** Lists begin with the newest. */
async function firstRun(api: ManagerApi, sessionId: string): Promise<string | null> {
  let first: string | null = null;
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<Run> = await api.ask('GET', `runs?limit=200&sessionId=${encodeURIComponent(sessionId)}${query}`);
    first = page.items.at(-1)?.id ?? first;
    cursor = page.cursor;
  }
  return first;
}

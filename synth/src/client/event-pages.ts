import type { RunEvent } from '@agentrun/lib/contract';
import type { Log } from './find-log.ts';
import type { ManagerApi } from './manager-api.ts';
import type { Page } from './records.ts';

const PAGE = 500;

/** The events of a log that are there now, page by page. */
export async function* eventPages(api: ManagerApi, log: Log): AsyncGenerator<RunEvent, void> {
  if (log.runId === null) return;
  if (log.sessionId === null) {
    for (let afterSeq = log.afterSeq; ; ) {
      const path = `runs/${encodeURIComponent(log.runId)}/events?limit=${PAGE}&afterSeq=${afterSeq}`;
      const { items } = await api.ask<Page<RunEvent>>('GET', path);
      yield* items;
      afterSeq = items.at(-1)?.seq ?? afterSeq;
      if (items.length < PAGE) return;
    }
  }
  for (let cursor: string | null = `${log.runId}.${log.afterSeq}`; cursor !== null; ) {
    const path: string = `sessions/${encodeURIComponent(log.sessionId)}/trace?limit=${PAGE}&cursor=${cursor}`;
    const page: Page<RunEvent> = await api.ask('GET', path);
    yield* page.items;
    cursor = page.items.length < PAGE ? null : page.cursor;
  }
}

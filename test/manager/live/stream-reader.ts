import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** A reader of an event stream, on a connection of its own. */
export interface StreamReader {
  readonly response: IncomingMessage;
  /** What came, in order; empty when `onEvent` was given. */
  readonly events: EventSourceMessage[];
  readonly retries: number[];
  /** Id of the last event that had one; null before. */
  readonly lastId: string | null;
  /** Resolves when the stream has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Reads nothing more, until {@link resume}. */
  pause(): void;
  resume(): void;
  leave(): void;
}

export interface ReaderOptions {
  readonly lastId?: string | null;
  readonly onEvent?: (event: EventSourceMessage) => void;
  readonly method?: 'GET' | 'HEAD';
}

const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });

/** Follows a path of `/api/v1/` from its beginning, or after an id. */
export async function openStream(
  { url, key }: { readonly url: string; readonly key: string },
  path: string,
  { lastId = null, onEvent, method = 'GET' }: ReaderOptions = {},
): Promise<StreamReader> {
  const asked = request(`${url}/api/v1/${path}`, {
    agent,
    method,
    headers: {
      authorization: `Bearer ${key}`,
      accept: 'text/event-stream',
      ...(lastId === null ? {} : { 'last-event-id': lastId }),
    },
  });
  const response = await answered(asked);
  const events: EventSourceMessage[] = [];
  const retries: number[] = [];
  let latest = lastId;
  const parser = createParser({
    onEvent: (event) => {
      latest = event.id ?? latest;
      if (onEvent === undefined) events.push(event);
      else onEvent(event);
    },
    onRetry: (retry) => void retries.push(retry),
  });
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => parser.feed(chunk));
  const ended = new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.once('error', () => resolve());
  });
  return {
    response,
    events,
    retries,
    get lastId() {
      return latest;
    },
    ended,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    leave: () => void asked.destroy(),
  };
}

function answered(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.once('response', resolve);
    asked.on('error', reject);
    asked.end();
  });
}

/** The data of an event. */
export const dataOf = ({ data }: { readonly data: string }): Record<string, unknown> =>
  JSON.parse(data) as Record<string, unknown>;

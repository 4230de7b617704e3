import type { Socket } from 'node:net';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lastEventId, openSse } from '../../../manager/src/http/sse.ts';
import type { SseStream } from '../../../manager/src/http/sse-stream.ts';
import { type KernelServer, kernelServer, OPERATOR_KEY, openSocket } from '../../helpers/kernel-server.ts';

const BIG = 'x'.repeat(64 * 1024);
const ASK = `GET /stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OPERATOR_KEY}\r\n\r\n`;
let server: KernelServer;
let latest: SseStream;
/** What the route /flood saw: how many sends were taken, and that the last one was not. */
let flood: { sent: number; over: boolean };

beforeAll(async () => {
  server = await kernelServer(
    (app) => {
      app.get('/stream', { config: { mediaType: 'text/event-stream' } }, async (request, reply) => {
        latest = openSse(request, reply, { retryMs: 250 });
        await latest.send({ id: '1', event: 'first', data: { after: lastEventId(request) } });
        await latest.send({ id: '2', data: 'two\nlines' });
      });
      app.get('/flood', async (request, reply) => {
        const stream = openSse(request, reply, { bufferBytes: 256 * 1024, stallMs: 1_000 });
        latest = stream;
        flood = { sent: 0, over: false };
        for (let id = 1; id <= 1_000 && !flood.over; id += 1) {
          if (await stream.send({ id: String(id), data: BIG })) flood.sent = id;
          else flood.over = true;
        }
        stream.close('done');
      });
      app.get('/breaks', async (request, reply) => {
        latest = openSse(request, reply);
        await latest.send({ id: '1', data: 1 });
        throw new Error('the database went away');
      });
      app.get('/refused', async () => {
        throw new Error('before the stream');
      });
    },
    { heartbeatMs: 100 },
  );
});
afterAll(() => server.close());

interface Reader {
  readonly response: Response;
  readonly events: EventSourceMessage[];
  readonly comments: string[];
  readonly retries: number[];
  readonly ended: Promise<void>;
  leave(): void;
}

async function read(path: string, headers: Record<string, string> = {}): Promise<Reader> {
  const leaving = new AbortController();
  const response = await fetch(`${server.url}${path}`, {
    headers: { authorization: `Bearer ${OPERATOR_KEY}`, ...headers },
    signal: leaving.signal,
  });
  const events: EventSourceMessage[] = [];
  const comments: string[] = [];
  const retries: number[] = [];
  const parser = createParser({
    onEvent: (event) => void events.push(event),
    onComment: (comment) => void comments.push(comment),
    onRetry: (retry) => void retries.push(retry),
  });
  const decoder = new TextDecoder();
  const ended = (async () => {
    try {
      for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    } catch {
      // It was left.
    }
  })();
  return { response, events, comments, retries, ended, leave: () => leaving.abort() };
}

describe('an event stream', () => {
  it('gives events with ids, names and JSON, and says how to come back', async () => {
    const reader = await read('/stream', { 'last-event-id': 'run_1.7' });
    await expect
      .poll(() => reader.events)
      .toEqual([
        { id: '1', event: 'first', data: '{"after":"run_1.7"}' },
        { id: '2', event: undefined, data: '"two\\nlines"' },
      ]);
    expect(reader.retries).toEqual([250]);
    expect(Object.fromEntries(reader.response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-trace-id': expect.stringMatching(/^trc_/) as string,
    });
    reader.leave();
  });

  it('beats while nothing happens', async () => {
    const reader = await read('/stream');
    await expect.poll(() => reader.comments.filter((comment) => comment === 'beat').length).toBeGreaterThan(2);
    reader.leave();
  });

  it('ends with a reason and the last id, and takes nothing after it', async () => {
    const reader = await read('/stream');
    await expect.poll(() => reader.events.length).toBe(2);
    latest.close('done');
    await reader.ended;
    expect(reader.events.at(-1)).toMatchObject({ event: 'close', data: '{"reason":"done","lastId":"2"}' });
    expect(reader.retries).toEqual([250, 1000]);
    expect(await latest.send({ data: 1 })).toBe(false);
    latest.comment('late');
    latest.close('again');
    expect(latest.signal.aborted).toBe(true);
    await expect.poll(() => server.app.streams.size).toBe(0);
  });

  it('may be closed with another id', async () => {
    const reader = await read('/stream');
    latest.close('gap', '41');
    await reader.ended;
    expect(reader.events.at(-1)).toMatchObject({ event: 'close', data: '{"reason":"gap","lastId":"41"}' });
  });

  it('tells the route when the reader has left', async () => {
    const reader = await read('/stream');
    await expect.poll(() => reader.events.length).toBe(2);
    const stream = latest;
    expect(stream.signal.aborted).toBe(false);
    reader.leave();
    await expect.poll(() => stream.signal.aborted).toBe(true);
    expect(await stream.send({ data: 1 })).toBe(false);
  });

  it('refuses ids and names of several lines, which would be events of their own', async () => {
    const reader = await read('/stream');
    await expect(latest.send({ id: '1\ndata: forged', data: 1 })).rejects.toThrow('one line');
    await expect(latest.send({ event: 'a\r', data: 1 })).rejects.toThrow('one line');
    reader.leave();
  });

  it('answers HEAD with the headers alone', async () => {
    const { status, text, headers } = await server.call('HEAD', '/stream');
    expect([status, text]).toEqual([200, '']);
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await expect.poll(() => server.app.streams.size).toBe(0);
  });

  it('ends when its route fails, which the log tells', async () => {
    const reader = await read('/breaks');
    await reader.ended;
    expect(reader.events.map(({ id }) => id)).toEqual(['1']);
    await expect.poll(() => latest.signal.aborted).toBe(true);
    expect(await latest.send({ data: 2 })).toBe(false);
    expect(server.lines).toContainEqual(expect.objectContaining({ level: 'error', msg: 'the answer broke off' }));
    await expect.poll(() => server.app.streams.size).toBe(0);
  });

  it('that was refused before it began is a problem', async () => {
    expect((await server.call('GET', '/refused')).problem.failureKind).toBe('infra-failed');
  });
});

describe('a slow reader', () => {
  const request = `GET /flood HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OPERATOR_KEY}\r\n\r\n`;

  it('makes the route wait, and gets every event', async () => {
    const socket = await openSocket(server.port);
    socket.write(request);
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of socket) {
      text += decoder.decode(chunk as Buffer, { stream: true });
      if (text.includes('event: close')) break;
      text = text.length > 10_000_000 && !text.includes('id: 1000\n') ? text.slice(-100_000) : text;
    }
    socket.destroy();
    expect(text).toContain('{"reason":"done","lastId":"1000"}');
    expect(flood).toEqual({ sent: 1_000, over: false });
  });

  it('that reads nothing is closed, and the route is told', async () => {
    flood = { sent: 0, over: false };
    const socket = await openSocket(server.port);
    socket.pause();
    socket.write(request);
    await expect.poll(() => flood.over, { timeout: 10_000 }).toBe(true);
    const { sent } = flood;
    expect(sent).toBeLessThan(1_000);
    expect(latest.closed).toBe(true);
    await expect.poll(() => server.app.streams.size, { timeout: 5_000 }).toBe(0);
    socket.destroy();
  });

  it('that wakes in time sees all events in order, and why it was closed', async () => {
    flood = { sent: 0, over: false };
    const socket = await openSocket(server.port);
    socket.pause();
    socket.write(request);
    await expect.poll(() => flood.over, { timeout: 10_000 }).toBe(true);
    let text = '';
    for await (const chunk of socket) {
      text += (chunk as Buffer).toString('latin1');
      if (text.endsWith('\r\n0\r\n\r\n')) break;
    }
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(ids.map((_, index) => index + 1));
    const last = /event: close\ndata: \{"reason":"slow-reader","lastId":"(\d+)"\}/.exec(text)?.[1];
    expect(Number(last)).toBe(ids.at(-1));
  });
});

describe('many readers', () => {
  it('leave nothing behind: 1,000 that come and go', async () => {
    const { server: http, streams } = server.app;
    const connections = () => new Promise<number>((resolve) => http.getConnections((_, count) => resolve(count)));
    const listeners = () => http.eventNames().reduce((sum, name) => sum + http.listenerCount(name), 0);
    const before = { connections: await connections(), listeners: listeners() };
    for (let round = 0; round < 20; round += 1) {
      const sockets = await Promise.all(Array.from({ length: 50 }, () => openSocket(server.port)));
      for (const socket of sockets) socket.write(ASK);
      await expect.poll(() => streams.size, { interval: 5 }).toBe(50);
      for (const socket of sockets) socket.destroy();
      await expect.poll(() => streams.size, { interval: 5 }).toBe(0);
    }
    await expect.poll(connections).toBeLessThanOrEqual(before.connections);
    expect(listeners()).toBe(before.listeners);
    expect(server.app.drain.signal.aborted).toBe(false);
  }, 60_000);

  it('do not gather listeners on one connection that is used again', async () => {
    const socket = await openSocket(server.port);
    const sockets = new Promise<{ listeners: () => number }>((resolve) => {
      server.app.server.once('request', ({ socket: accepted }: { socket: Socket }) =>
        resolve({
          listeners: () => accepted.eventNames().reduce((sum, name) => sum + accepted.listenerCount(name), 0),
        }),
      );
    });
    const ask = async () => {
      socket.write(ASK);
      let text = '';
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        text += String(chunk);
        if (text.includes('id: 2')) latest.close('done');
        if (text.endsWith('0\r\n\r\n')) break;
      }
    };
    await ask();
    const { listeners } = await sockets;
    const first = listeners();
    for (let round = 0; round < 50; round += 1) await ask();
    expect(listeners()).toBe(first);
    socket.destroy();
  });
});

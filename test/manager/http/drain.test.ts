import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../../../manager/src/failure.ts';
import { openSse } from '../../../manager/src/http/sse.ts';
import { type KernelServer, kernelServer, OPERATOR_KEY, openSocket } from '../../helpers/kernel-server.ts';

let server: KernelServer;
let release: () => void;
let entered: Promise<void>;

async function start() {
  let enter: () => void;
  entered = new Promise((resolve) => {
    enter = resolve;
  });
  server = await kernelServer((app) => {
    const { drain } = app;
    app.get('/health/readiness', { config: { auth: 'open' } }, async () => {
      if (!drain.ready) throw new Failure('unavailable', 'The manager is stopping.');
      return { ready: true };
    });
    app.get('/fast', async () => 'fast');
    app.get('/work', async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
        enter();
      });
      return 'worked';
    });
    app.get('/poll', async () => {
      enter();
      await new Promise((resolve) => {
        if (drain.signal.aborted) resolve(undefined);
        drain.signal.addEventListener('abort', resolve, { once: true });
      });
      return { items: [] };
    });
    app.get('/stream', async (request, reply) => {
      await openSse(request, reply).send({ id: '7', data: {} });
      enter();
    });
  });
}

afterEach(() => server.close());

describe('the stop of the server', () => {
  it('says not ready at once, and serves what comes within the grace', async () => {
    await start();
    expect((await server.call('GET', '/health/readiness')).status).toBe(200);
    const end = server.app.drain.begin({ graceMs: 300 });
    expect([server.app.drain.state, server.app.drain.ready]).toEqual(['draining', false]);
    expect((await server.call('GET', '/health/readiness')).status).toBe(503);
    expect((await server.call('GET', '/fast')).data).toBe('fast');
    await expect(end).resolves.toMatchObject({ forced: false });
    expect(server.app.drain.state).toBe('closed');
    await expect(server.call('GET', '/fast')).rejects.toThrow();
  });

  it('lets long-polls answer empty', async () => {
    await start();
    const poll = server.call('GET', '/poll');
    await entered;
    await server.app.drain.begin();
    expect(await poll).toMatchObject({ status: 200, data: { items: [] } });
  });

  it('ends event streams with their last id, and those that come later at once', async () => {
    await start();
    const stream = server.call('GET', '/stream');
    await entered;
    const end = server.app.drain.begin({ graceMs: 200 });
    const late = server.call('GET', '/stream');
    const close = 'retry: 1000\nevent: close\ndata: {"reason":"drain","lastId":"7"}\n\n';
    expect((await stream).text.endsWith(close)).toBe(true);
    expect((await late).text).toMatch(/event: close\ndata: \{"reason":"drain","lastId":null\}/);
    await expect(end).resolves.toMatchObject({ forced: false });
    expect(server.app.streams.size).toBe(0);
  });

  it('waits for requests that run, and closes their connections', async () => {
    await start();
    const work = server.call('GET', '/work');
    await entered;
    const end = server.app.drain.begin();
    await expect.poll(() => server.app.drain.state).toBe('closing');
    release();
    const { data, headers } = await work;
    expect([data, headers.get('connection')]).toEqual(['worked', 'close']);
    await expect(end).resolves.toMatchObject({ forced: false });
  });

  it('refuses as unavailable what still comes on a connection that was in use', async () => {
    await start();
    const socket = await openSocket(server.port);
    let received = '';
    socket.on('data', (chunk) => {
      received += String(chunk);
    });
    const head = `HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OPERATOR_KEY}\r\n`;
    socket.write(`GET /fast ${head}\r\nGET /fast ${head}`);
    await expect.poll(() => received).toContain('"data":"fast"');
    received = '';
    const end = server.app.drain.begin();
    await expect.poll(() => server.app.drain.state).toBe('closing');
    socket.write('\r\n');
    await end;
    await expect.poll(() => received).toMatch(/^HTTP\/1\.1 503 /);
    expect(received).toMatch(/connection: close/i);
    expect(received).toMatch(/retry-after: 1\r\n/i);
    expect(received).toContain('"failureKind":"unavailable"');
  });

  it('cuts what does not end at the deadline', async () => {
    await start();
    const work = server.call('GET', '/work').catch((error: unknown) => error);
    await entered;
    await expect(server.app.drain.begin({ deadlineMs: 150 })).resolves.toMatchObject({ forced: true });
    expect(await work).toBeInstanceOf(Error);
    release();
  });

  it('does not wait for connections that are kept alive', async () => {
    await start();
    await server.call('GET', '/fast');
    const idle = await openSocket(server.port);
    await expect(server.app.drain.begin({ deadlineMs: 10_000 })).resolves.toMatchObject({ forced: false });
    idle.destroy();
  });

  it('happens once', async () => {
    await start();
    const { drain } = server.app;
    expect(drain.begin()).toBe(drain.begin());
    await drain.begin();
    expect(await drain.begin()).toEqual(await drain.begin());
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KernelServer, kernelServer, openSocket } from '../../helpers/kernel-server.ts';

let server: KernelServer;

beforeAll(async () => {
  server = await kernelServer(
    (app) => {
      app.post('/echo', { config: { auth: 'open' } }, async ({ body }) => body);
    },
    { timeouts: { headers: 150, request: 300, check: 50, keepAlive: 1_000 } },
  );
});
afterAll(() => server.close());

describe('a slow caller', () => {
  it.each([
    ['its headers', 'POST /echo HTTP/1.1\r\nHost: x\r\nX-Slow:'],
    ['its body', 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"a":'],
    ['its chunks', 'POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'],
  ])('that does not finish %s is told so and cut off', async (_, bytes) => {
    const [head = '', body = ''] = (await server.raw(bytes)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 408 /);
    expect(JSON.parse(body)).toMatchObject({ ok: false, status: 408, failureKind: 'unavailable', retryable: true });
  });

  it('that goes away within its body leaves the server as it was', async () => {
    const socket = await openSocket(server.port);
    socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"a":');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect((await server.call('POST', '/echo', { body: '{"a":1}' })).data).toEqual({ a: 1 });
    await expect
      .poll(() => server.lines.some(({ status, callerGone }) => status === 499 && callerGone === true))
      .toBe(true);
    expect(server.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type KernelServer, kernelServer, OPERATOR_KEY } from '../../helpers/kernel-server.ts';

const MIB = 1024 * 1024;
let server: KernelServer;

beforeAll(async () => {
  server = await kernelServer((app) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      app.route({ method, url: '/echo', handler: async ({ body }) => (body === undefined ? 'absent' : { body }) });
    }
    app.get('/echo', async ({ body }) => body ?? 'absent');
    app.post('/large', { bodyLimit: 4 * MIB }, async ({ body }) => JSON.stringify(body).length);
    app.post('/small', { bodyLimit: 10 }, async ({ body }) => body);
    app.post(
      '/run',
      {
        schema: {
          body: {
            type: 'object',
            additionalProperties: false,
            required: ['name'],
            properties: {
              name: { type: 'string', minLength: 1 },
              count: { type: 'integer' },
              policy: {
                type: 'object',
                additionalProperties: false,
                properties: { maxAttempts: { type: 'integer', minimum: 1 } },
              },
              list: {
                type: 'array',
                items: {
                  anyOf: [
                    { type: 'string' },
                    { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
                  ],
                },
              },
            },
          },
        },
      },
      async ({ body }) => body,
    );
  });
});
afterAll(() => server.close());

const post = (body: string | Uint8Array | undefined, headers: Record<string, string> = {}, path = '/echo') =>
  server.call('POST', path, { body, headers: { authorization: `Bearer ${OPERATOR_KEY}`, ...headers } });

function expectProblem({ status, problem, headers }: Answer) {
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(problem).toMatchObject({ ok: false, status, traceId: headers.get('x-trace-id') });
  expect(problem.error).toMatchObject({
    failureKind: problem.failureKind,
    message: problem.message,
    httpStatus: status,
  });
}

describe('a body', () => {
  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'nonsense', 'a/b; c', ''])(
    'is JSON whatever its Content-Type says: %s',
    async (type) => {
      expect((await post('{"a":[1,"x",null]}', { 'content-type': type })).data).toEqual({
        body: { a: [1, 'x', null] },
      });
    },
  );

  it('needs no Content-Type', async () => {
    const text = await server.raw(
      `POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OPERATOR_KEY}\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{"a":1}`,
    );
    expect(text).toContain('"data":{"body":{"a":1}}');
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is read from %s', async (method) => {
    expect((await server.call(method, '/echo', { json: { a: 1 } })).data).toEqual({ body: { a: 1 } });
    expect((await server.call(method, '/echo')).data).toBe('absent');
  });

  it.each(['GET', 'HEAD'])('is ignored with %s', async (method) => {
    const text = await server.raw(
      `${method} /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OPERATOR_KEY}\r\nContent-Length: 4\r\nConnection: close\r\n\r\n{{{{`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([undefined, '', '   \n', 'null', ' null ', '\uFEFF', '\uFEFFnull'])(
    'is absent when it is %j',
    async (body) => {
      expect((await post(body)).data).toBe('absent');
    },
  );

  it('may begin with a byte order mark', async () => {
    expect((await post('\uFEFF{"a":1}')).data).toEqual({ body: { a: 1 } });
  });

  it.each(['false', '0', '""', '[]', '"text"', '1.5'])(
    'may be any value where no schema says otherwise: %s',
    async (body) => {
      expect((await post(body)).data).toEqual({ body: JSON.parse(body) as unknown });
    },
  );

  it('keeps the last value of a key that stands twice', async () => {
    expect((await post('{"a":1,"b":{"c":1,"c":2},"a":3}')).data).toEqual({ body: { a: 3, b: { c: 2 } } });
  });
});

describe('a body is refused', () => {
  it.each([
    ['{"a":}', 'expected a value: a comma stands before the end', 1, 6],
    ['{\n  "secret-word": tru\n}', 'expected a value', 2, 18],
    ["{'a': 1}", 'expected a key in double quotes', 1, 2],
    ['{"a": \'x\'}', 'texts stand in double quotes', 1, 7],
    ['[1, 2', 'expected "," or "]", but the text ends', 1, 6],
    ['[1 2]', 'expected "," or "]"', 1, 4],
    ['{"a" 1}', 'expected ":"', 1, 6],
    ['{"a":1,}', 'expected a key in double quotes', 1, 8],
    ['[1,]', 'expected a value: a comma stands before the end', 1, 4],
    ['"abc', 'a text has no end, but the text ends', 1, 5],
    ['"a\nb"', 'a control character must be escaped, such as a line break by \\n', 1, 3],
    ['"\\x41"', 'this escape is not known', 1, 2],
    ['"\\u12"', 'this escape is not known', 1, 2],
    ['01', 'more text after the value', 1, 2],
    ['{} {}', 'more text after the value', 1, 4],
    ['+1', 'expected a value', 1, 1],
    ['NaN', 'expected a value', 1, 1],
    ['{', 'expected a key in double quotes, but the text ends', 1, 2],
    ['1.', 'more text after the value', 1, 2],
    ['[true, fals]', 'expected a value', 1, 8],
    ['\n\n  ]', 'expected a value: a comma stands before the end', 3, 3],
  ])('when it is not JSON, by line and column: %j', async (body, what, line, column) => {
    const answer = await post(body);
    expectProblem(answer);
    expect(answer.problem.message).toBe(`The body is not JSON: ${what}, at line ${line}, column ${column}.`);
    expect(answer.problem.error.details).toMatchObject({ part: 'body', errors: [{ line, column }] });
    expect(answer.text).not.toContain('secret-word');
  });

  it('when it is not UTF-8', async () => {
    const answer = await post(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]));
    expectProblem(answer);
    expect(answer.problem.message).toBe('The body is not valid UTF-8, at byte 3.');
    for (const bytes of [
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0x22, 0xe2, 0x82],
      [0xfe, 0xff, 0x00, 0x22],
    ]) {
      expect((await post(Buffer.from(bytes))).problem.message).toMatch(/not valid UTF-8/);
    }
  });

  it.each([
    ['{"a":["x","y\\u0000z"]}', '/a/1', 'holds a NUL character'],
    ['{"a":{"b\\u0000":1}}', '/a/b\u0000', 'has a key that holds a NUL character'],
    ['{"a/b":{"~":"\\ud83d"}}', '/a~1b/~0', 'holds half of a surrogate pair'],
    ['{"a":"\\uDE00\\ud83d"}', '/a', 'holds half of a surrogate pair'],
    ['{"a":1,"__proto__":{"admin":true}}', '/__proto__', 'is a key that is not accepted'],
    ['{"a":[{"\\u005f\\u005fproto\\u005f\\u005f":1}]}', '/a/0/__proto__', 'is a key that is not accepted'],
    ['{"constructor":{"prototype":{"admin":true}}}', '/constructor/prototype', 'is a key that is not accepted'],
    ['{"a":[1,1e999]}', '/a/1', 'is a number too large to be held'],
    ['{"a":-1e400}', '/a', 'is a number too large to be held'],
  ])('when it holds what cannot be kept, by pointer: %s', async (body, pointer, what) => {
    const answer = await post(body);
    expectProblem(answer);
    expect(answer.problem.message).toContain(`The body, at ${pointer}, ${what}`);
    expect(answer.problem.error.details).toMatchObject({ errors: [{ pointer }] });
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('when it is a text alone that cannot be kept', async () => {
    expect((await post('"\\u0000"')).problem.message).toBe('The body holds a NUL character, which cannot be stored.');
  });

  it.each([
    '{"a":"\\ud83d\\ude00 \\u001b[0m"}',
    '{"constructor":"Ford","prototype":1}',
    '{"a":"say __proto__ and \\\\u0000"}',
  ])('not when it only looks so: %s', async (body) => {
    expect((await post(body)).data).toEqual({ body: JSON.parse(body) as unknown });
  });

  it('when it is nested more than 64 deep, however deep', async () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect((await post(nested(64))).status).toBe(200);
    const answer = await post(nested(65));
    expectProblem(answer);
    expect(answer.problem.message).toContain('is nested too deeply: at most 64');
    for (const depth of [10_000, 400_000]) {
      expectProblem(await post(nested(depth)));
      expectProblem(await post('{"a":'.repeat(depth / 4)));
      expectProblem(await post(`${'{"a":'.repeat(depth / 4)}1${'}'.repeat(depth / 4)}`));
    }
  });

  it.each(['gzip', 'deflate', 'br', 'GZIP, identity'])('when it is packed: %s', async (encoding) => {
    const answer = await post(gzipSync('{"a":1}'), { 'content-encoding': encoding });
    expect([answer.status, answer.problem.failureKind]).toEqual([400, 'schema-invalid']);
    expect(answer.problem.message).toContain('Content-Encoding');
    expect((await post('{"a":1}', { 'content-encoding': 'identity' })).status).toBe(200);
  });
});

describe('a large body', () => {
  it('is refused beyond the limit of the route, which the answer names', async () => {
    const answer = await post('"01234567890"', {}, '/small');
    expect([answer.status, answer.problem.failureKind]).toEqual([413, 'too-large']);
    expect(answer.problem.message).toBe('The body of 13 bytes is larger than 10 bytes, the limit of this route.');
    expect(answer.problem.error.details).toEqual({ limitBytes: 10, receivedBytes: 13 });
    expect((await post('"01234567"', {}, '/small')).status).toBe(200);
  });

  it('is refused beyond 1 MiB where the route does not say otherwise', async () => {
    const answer = await post(JSON.stringify('x'.repeat(MIB)));
    expect([answer.status, answer.problem.error.details]).toMatchObject([413, { limitBytes: MIB }]);
    expect((await post(JSON.stringify('x'.repeat(MIB)), {}, '/large')).data).toBe(MIB + 2);
  });

  it('of 11 MB is refused with an answer that reaches the caller', async () => {
    const answer = await post('x'.repeat(11_000_000));
    expect([answer.status, answer.problem.failureKind]).toEqual([413, 'too-large']);
    // A connection that is closed over an upload is reset, and the answer with it.
    expect(answer.headers.get('connection')).not.toBe('close');
  });

  it('without a length is refused as soon as it is too large, before its end has come', async () => {
    const chunk = `${(64 * 1024).toString(16)}\r\n${' '.repeat(64 * 1024)}\r\n`;
    const head = `POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OPERATOR_KEY}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const answer = await server.raw([head, ...Array.from({ length: 18 }, () => chunk)], /\}\n$/);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"limitBytes":1048576');
  });

  it('that breaks off is no failure of the manager', async () => {
    const answer = await server.raw(
      `POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OPERATOR_KEY}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(server.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('any body', () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  const mangled = fc
    .tuple(json, fc.nat(), fc.string({ unit: 'binary', maxLength: 5 }), fc.nat(3))
    .map(([value, at, piece, cut]) => {
      const text = JSON.stringify(value);
      const place = at % (text.length + 1);
      return text.slice(0, place) + piece + text.slice(place + cut);
    });
  const like = fc.record(
    {
      name: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
      count: fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger(), fc.constant(1e300), fc.string()),
      policy: fc.oneof(fc.record({ maxAttempts: fc.anything() }), json),
      list: fc.array(fc.oneof(json, fc.record({ id: json }))),
      more: json,
    },
    { requiredKeys: [] },
  );
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    mangled.map((text) => Buffer.from(text)),
    json.map((value) => Buffer.from(JSON.stringify(value))),
    like.map((value) =>
      Buffer.from(JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))),
    ),
  );

  it('is answered with 200 or with a problem of the caller, never with a fault of ours', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, fc.constantFrom('/echo', '/run'), async (body, path) => {
        const answer = await post(body, {}, path);
        if (answer.status === 200) expect(JSON.parse(answer.text)).toMatchObject({ ok: true });
        else {
          expectProblem(answer);
          expect(answer.problem.failureKind).toBe('schema-invalid');
          expect(answer.problem.message).not.toMatch(/undefined|\[object|Error:/);
        }
      }),
      { numRuns: 4_000 },
    );
  }, 120_000);

  it('is accepted as JSON exactly when JSON.parse accepts it, and the fault is found otherwise', async () => {
    await fc.assert(
      fc.asyncProperty(mangled, async (text) => {
        let good = true;
        try {
          JSON.parse(text);
        } catch {
          good = text.trim() === '';
        }
        const { status, problem } = await post(text);
        if (good && status !== 200) expect(problem.message).toMatch(/NUL|surrogate|key|UTF-8|number/);
        if (!good && !text.startsWith('\uFEFF')) expect(problem.message).toMatch(/is not (?:JSON|valid UTF-8)/);
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);
});

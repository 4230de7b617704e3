import { redactor } from '@agentrun/lib/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../../manager/src/telemetry/log.ts';

const KEY = 'correct-horse"battery\\staple';

function logged(write: (log: ReturnType<typeof createLog>) => void): {
  text: string;
  lines: Record<string, unknown>[];
} {
  const texts: string[] = [];
  write(createLog({ redactor: redactor([KEY]), destination: { write: (line) => void texts.push(line) } }));
  return { text: texts.join(''), lines: texts.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the log', () => {
  it('is a line of JSON with time, level and service', () => {
    const { text, lines } = logged((log) => log.info({ runId: 'run_1' }, 'claimed'));
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        service: 'agentrun-mgr',
        runId: 'run_1',
        msg: 'claimed',
      },
    ]);
    expect(text.endsWith('}\n')).toBe(true);
  });

  it('keeps its level', () => {
    const lines: string[] = [];
    createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } }).info('no');
    expect(lines).toEqual([]);
  });

  it.each([
    ['a header', { headers: { authorization: 'Bearer abcdef', cookie: 'a=b', 'x-api-key': 'k' } }, /abcdef|a=b|"k"/],
    ['a header of a request', { req: { headers: { authorization: 'Bearer abcdef' } } }, /abcdef/],
    ['a member', { password: 'hunter2', apiKey: 'k1' }, /hunter2|k1/],
    ['a known form', { text: 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD' }, /sk-proj-abc/],
    ['a pair in a text', { text: 'PGPASSWORD=hunter2secret psql' }, /hunter2/],
    ['a URL', { text: 'postgres://user:hunter2secret@host/db' }, /hunter2/],
    ['the API key', { text: `key is ${KEY}` }, /battery/],
  ])('shows no secret of %s', (_, value, secret) => {
    const { text } = logged((log) => {
      log.info(value, 'x');
      log.child(value).warn('y');
    });
    expect(text).not.toMatch(secret);
    expect(text).toContain('[secret]');
  });

  it('shows no secret of a message, an error, its stack and its cause', () => {
    const { text, lines } = logged((log) => {
      log.error(
        { err: new Error(`failed with ${KEY}`, { cause: new Error('password=hunter2secret') }) },
        `because of ${KEY}`,
      );
      log.info('token %s', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789');
    });
    expect(text).not.toMatch(/battery|hunter2|ghp_abc/);
    expect(lines[0]).toMatchObject({ err: { type: 'Error', stack: expect.stringContaining('log.test.ts') as string } });
  });

  it('stays JSON whatever is logged', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'password=',
        '"',
        '\\',
        'token: ',
        'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD',
        KEY,
        '-----BEGIN RSA PRIVATE KEY-----',
        '\n',
        "'",
      ),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), fc.array(word, { maxLength: 4 }), (words, names) => {
        const { text } = logged((log) =>
          log.info({ [names.join(' ')]: words.join(' '), words }, `${KEY}${words.join(' ')}`),
        );
        expect(text).not.toMatch(/battery|sk-proj-abc/);
      }),
      { numRuns: 3_000 },
    );
  }, 60_000);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SECRET_MARK } from '../../../lib/src/contract/secret-shapes.ts';
import { secretForms, streamRedactor } from '../../../lib/src/contract/stream-redactor.ts';

const SECRET = 'key-7Hq/+2"zL\\9 wä';

/** What comes out for each piece, and at the end. */
function run(known: readonly string[], pieces: readonly string[]): string[] {
  const stream = streamRedactor(known).open();
  return [...pieces.map((piece) => stream.push(piece)), stream.end()];
}

describe('a redacted stream', () => {
  it('takes out a secret that is cut anywhere', () => {
    for (let cut = 0; cut <= SECRET.length; cut += 1) {
      const out = run([SECRET], [`before ${SECRET.slice(0, cut)}`, `${SECRET.slice(cut)} after`]).join('');
      expect(out).toBe(`before ${SECRET_MARK} after`);
    }
  });

  it('takes out a secret that comes character by character', () => {
    expect(run([SECRET], [...`a${SECRET}b`]).join('')).toBe(`a${SECRET_MARK}b`);
  });

  it('holds back nothing but a tail that may begin a secret', () => {
    expect(run(['abcdefgh'], ['xyz', 'xab', 'cq', 'abcdefgh', 'end'])).toEqual([
      'xyz',
      'x',
      'abcq',
      SECRET_MARK,
      'end',
      '',
    ]);
  });

  it('gives out at the end what only looked like a secret', () => {
    expect(run(['abcdefgh'], ['1abcdefg'])).toEqual(['1', 'abcdefg']);
  });

  it('takes out the longer of two secrets that begin alike, and two that overlap, whole', () => {
    expect(run(['abcdefgh', 'abcdefghijkl'], ['abcdefgh', 'ijkl!']).join('')).toBe(`${SECRET_MARK}!`);
    expect(run(['abcdefgh', 'abcdefghijkl'], ['abcdefgh', 'ijk!']).join('')).toBe(`${SECRET_MARK}ijk!`);
    expect(run(['abcdefgh', 'efghijkl'], ['abcdefghijkl!']).join('')).toBe(`${SECRET_MARK}!`);
  });

  it('leaves values alone that are too short to be told from other texts', () => {
    expect(run(['short'], ['a short text'])).toEqual(['a short text', '']);
  });

  it.each([
    ['JSON', JSON.stringify({ key: SECRET })],
    ['JSON within JSON', JSON.stringify(JSON.stringify({ key: SECRET }))],
    ['a URL', `https://example.com/?key=${encodeURIComponent(SECRET)}&x=1`],
    [
      'a form',
      new URLSearchParams({ key: encodeURIComponent('x') }).toString() +
        encodeURIComponent(SECRET).replaceAll('%20', '+'),
    ],
    ['hex', Buffer.from(SECRET).toString('hex')],
    ['base64', Buffer.from(SECRET).toString('base64')],
    ['base64 behind one byte', Buffer.from(`u${SECRET}`).toString('base64')],
    ['base64 behind two bytes', Buffer.from(`u:${SECRET}`).toString('base64')],
    ['base64 between others', Buffer.from(`user:${SECRET}@host`).toString('base64')],
    ['base64url', Buffer.from(`user:${SECRET}@host`).toString('base64url')],
  ])('takes it out of %s', (_name, text) => {
    const out = run([SECRET], [...text]).join('');
    expect(out).toContain(SECRET_MARK);
    const decoded = [out, Buffer.from(out, 'base64').toString(), Buffer.from(out, 'hex').toString()].join();
    expect(decoded).not.toContain(SECRET.slice(2, -2));
  });

  it('gives the same however the text is cut, and never a secret', () => {
    const known = ['abcabcab', 'cabcabcx', 'bcabcabc', 'aaaaaaaa'];
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'x', ...known, '😀'), { maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(40), { maxLength: 40 }), (words, cuts) => {
        const whole = words.join('');
        const pieces: string[] = [];
        let rest = whole;
        for (const cut of cuts) {
          pieces.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        const out = run(known, [...pieces, rest]).join('');
        expect(out).toBe(streamRedactor(known).text(whole));
        for (const secret of known) expect(out).not.toContain(secret);
        // Nothing but the secrets goes.
        if (!known.some((secret) => whole.includes(secret))) expect(out).toBe(whole);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps streams apart', () => {
    const redactor = streamRedactor(['abcdefgh']);
    const [one, two] = [redactor.open(), redactor.open()];
    expect([one.push('abcd'), two.push('efg.'), one.end(), two.end()]).toEqual(['', 'efg.', 'abcd', '']);
  });

  it('reads a long text in time that grows with its length', () => {
    const redactor = streamRedactor([`${'a'.repeat(200)}b`]);
    expect(redactor.text('a'.repeat(200_000))).toHaveLength(200_000);
  });

  it('knows no form that is too short', () => {
    expect(secretForms('12345678').every((form) => form.length >= 8)).toBe(true);
  });
});

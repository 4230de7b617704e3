import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { filesDigest, objectsDigest } from '../../../lib/src/render/digest.ts';

it('hashes path, NUL, content, NUL in code unit order, whatever the order given', () => {
  const digest = 'sha256:37664b19301f46515688d5a22cb9ee1852e0b6443e28c7f36340a13962f0c4f7';
  const files = [
    { path: 'b', content: '2' },
    { path: 'a', content: '1' },
  ];
  expect(filesDigest(files)).toBe(digest);
  expect(filesDigest(files.toReversed())).toBe(digest);
  expect(files[0]?.path).toBe('b');
});

it('sorts upper case before lower case, as code units do', () => {
  const files = ['b', 'B', 'a', 'A'].map((path) => ({ path, content: '' }));
  expect(filesDigest(files)).toBe(filesDigest(files.toSorted((a, b) => (a.path < b.path ? -1 : 1))));
});

it('changes with a path and with a content', () => {
  const digests = [
    [{ path: 'a', content: '1' }],
    [{ path: 'a', content: '2' }],
    [{ path: 'b', content: '1' }],
    [{ path: 'a1', content: '' }],
    [],
  ].map(filesDigest);
  expect(new Set(digests).size).toBe(5);
});

it('hashes objects as canonical JSON, so that the order of keys does not count and that of objects does', () => {
  const digest = objectsDigest([{ b: 1, a: { d: 2, c: 'é' } }, { e: [] }]);
  const text = '[{"a":{"c":"é","d":2},"b":1},{"e":[]}]';
  expect(digest).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
  expect(objectsDigest([{ a: { c: 'é', d: 2 }, b: 1 }, { e: [] }])).toBe(digest);
  expect(objectsDigest([{ e: [] }, { a: { c: 'é', d: 2 }, b: 1 }])).not.toBe(digest);
});

const plain = fc.letrec((tie) => ({
  key: fc.oneof(fc.constantFrom('10', '9', 'a', 'B', '\u{1f600}', '\uffee'), fc.string({ unit: 'grapheme' })),
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: 'grapheme' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(tie('key') as fc.Arbitrary<string>, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  sorted: (tie('object') as fc.Arbitrary<object>).map(
    (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))) as object,
  ),
}));

it('hashes any plain data as the library of RFC 8785 writes them, sorted or not', () => {
  const objects = fc.array(fc.oneof(plain.object, plain.sorted) as fc.Arbitrary<object>, { maxLength: 3 });
  fc.assert(
    fc.property(objects, (list) => {
      const text = canonicalize(list) ?? '';
      expect(objectsDigest(list)).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
    }),
    { numRuns: 500 },
  );
});

it('refuses what has no canonical form', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udc00': 1 }]) {
    expect(() => objectsDigest([{ a: value }]), JSON.stringify(value)).toThrow();
  }
});

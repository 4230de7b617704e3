import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkOutputPaths } from '../../../lib/src/check/output-path.ts';
import { pathCollisions } from '../../../lib/src/gitops/path-collisions.ts';

const codes = (staying: readonly string[], wanted: readonly string[]) =>
  pathCollisions(staying, wanted).map(({ code }) => code);

it.each([
  ['another case', ['a/B.yaml'], ['a/b.yaml']],
  ['another case of a directory', ['A/c.yaml'], ['a/b.yaml']],
  ['another Unicode form', ['a/e\u0301.yaml'], ['a/\u00e9.yaml']],
  ['a file above', ['a'], ['a/b.yaml']],
  ['a file far above', ['a/b'], ['a/b/c/d.yaml']],
  ['a directory in its place', ['a/b.yaml/c'], ['a/b.yaml']],
  ['sharp s', ['STRASSE'], ['stra\u00dfe']],
])('%s is a collision', (_, staying, wanted) => {
  expect(codes(staying, wanted)).toEqual(['path-collision']);
});

it.each([
  ['a neighbour', ['a/c.yaml', 'ab'], ['a/b.yaml']],
  ['what collides elsewhere', ['x/Y', 'x/y', 'x'], ['a/b.yaml']],
  ['what collides in the same directory', ['a/Y', 'a/y'], ['a/b.yaml']],
])('%s is none', (_, staying, wanted) => {
  expect(codes(staying, wanted)).toEqual([]);
});

it('wanted paths that collide with each other, or are no paths, are problems', () => {
  expect(codes([], ['a/b', 'a/B', '../x', '.git/config'])).toEqual(['path-collision', 'output-path', 'output-path']);
});

it('looking only at what is near gives what looking at everything gives', () => {
  const segment = fc.constantFrom(
    'a',
    'A',
    'b',
    'e\u0301',
    '\u00e9',
    'stra\u00dfe',
    'STRASSE',
    '\u03c3',
    '\u03c2',
    '\u212a',
    'k',
  );
  const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
  // A tree in which nothing collides yet.
  const tree = fc
    .uniqueArray(path, { maxLength: 12 })
    .map((paths) =>
      paths.reduce<string[]>(
        (kept, one) => (checkOutputPaths([...kept, one]).length === 0 ? [...kept, one] : kept),
        [],
      ),
    );
  let found = 0;
  fc.assert(
    fc.property(tree, fc.uniqueArray(path, { maxLength: 4 }), (staying, wanted) => {
      const others = staying.filter((one) => !wanted.includes(one));
      const all = checkOutputPaths([...others, ...wanted]);
      const ours = pathCollisions(others, wanted).map(({ message }) => message.replace(/^.* on the branch: /, ''));
      expect(ours).toEqual(all.map(({ message }) => message));
      found += all.length;
    }),
    { numRuns: 5000 },
  );
  expect(found).toBeGreaterThan(1000);
});

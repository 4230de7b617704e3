import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLanePath, isWithin, parseLanePath, pathOfPointer, valueAt } from '../../../lib/src/lane/lane-path.ts';

describe('a lane path', () => {
  it('is dotted, with indexes and odd keys in brackets', () => {
    expect(formatLanePath(['deployment', 'runner', 'noProxyExtra', 0])).toBe('deployment.runner.noProxyExtra[0]');
    expect(formatLanePath(['matchLabels', 'app.kubernetes.io/name'])).toBe('matchLabels["app.kubernetes.io/name"]');
    expect(formatLanePath([])).toBe('');
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.nat(1000))), (path) => {
        expect(parseLanePath(formatLanePath(path))).toEqual(path);
      }),
    );
  });

  it('refuses what is none', () => {
    expect(() => parseLanePath('a..b')).toThrow(RangeError);
    expect(() => parseLanePath('a[b]')).toThrow(RangeError);
  });

  it('reads JSON pointers against the value that they point into', () => {
    const value = { a: [{ 'b/c~d': 1 }], '0': { x: 2 } };
    expect(pathOfPointer('/a/0/b~1c~0d', value)).toEqual(['a', 0, 'b/c~d']);
    expect(pathOfPointer('/0/x', value)).toEqual(['0', 'x']);
    expect(valueAt(value, ['a', 0, 'b/c~d'])).toBe(1);
    expect(valueAt(value, ['a', 1, 'toString'])).toBeUndefined();
    expect(valueAt(value, ['toString'])).toBeUndefined();
  });

  it('lies within itself and what is above it', () => {
    expect(isWithin(['a', 'b'], ['a'])).toBe(true);
    expect(isWithin(['a'], ['a'])).toBe(true);
    expect(isWithin(['a'], ['a', 'b'])).toBe(false);
    expect(isWithin(['ab'], ['a'])).toBe(false);
  });
});

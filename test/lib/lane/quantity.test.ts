import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareQuantities, isQuantity } from '../../../lib/src/lane/quantity.ts';

describe('quantities', () => {
  it.each([
    ['1', '1000m', 0],
    ['0.5', '500m', 0],
    ['1Gi', '1073741824', 0],
    ['1Gi', '1G', 1],
    ['999Mi', '1Gi', -1],
    ['1024Mi', '1Gi', 0],
    ['1e3', '1k', 0],
    ['1E3', '1k', 0],
    ['1E', '1e18', 0],
    ['1Ei', '1152921504606846976', 0],
    ['1n', '1u', -1],
    ['1u', '1m', -1],
    ['0.1', '100m', 0],
    ['0.3', '0.1', 1],
    ['9007199254740993', '9007199254740992', 1],
    ['0', '1n', -1],
    ['0', '0Gi', 0],
    ['-1', '1', -1],
    ['-2', '-1', -1],
    ['1e999999999', '1e999999998', 1],
    ['1e-999999999', '1', -1],
    [2, '2000m', 0],
    [0.25, '250m', 0],
  ] as const)('%s against %s is %i', (a, b, order) => {
    expect(compareQuantities(a, b)).toBe(order);
    expect(compareQuantities(b, a)).toBe(order === 0 ? 0 : -order);
  });

  it('are told from other texts', () => {
    expect(['1', '1.5Gi', '.5', '5.', '100m', '1e-3', '+1'].filter(isQuantity)).toHaveLength(7);
    expect(['', 'Gi', '1GB', '1 Gi', '1ki', '0x1', '1e', '1.2.3', 'NaN'].filter(isQuantity)).toEqual([]);
  });

  it('are refused when they are none', () => {
    expect(() => compareQuantities('1GB', '1')).toThrow('not a quantity: "1GB"');
  });

  it('keep the order of the integers whatever the suffix, without rounding', () => {
    const suffixes: [string, bigint][] = [
      ['', 1n],
      ['k', 10n ** 3n],
      ['Ki', 2n ** 10n],
      ['M', 10n ** 6n],
      ['Gi', 2n ** 30n],
      ['E', 10n ** 18n],
    ];
    const amount = fc.tuple(fc.bigInt(0n, 10n ** 20n), fc.constantFrom(...suffixes));
    fc.assert(
      fc.property(amount, amount, ([a, [suffixA, unitA]], [b, [suffixB, unitB]]) => {
        const order = a * unitA < b * unitB ? -1 : a * unitA > b * unitB ? 1 : 0;
        expect(compareQuantities(`${a}${suffixA}`, `${b}${suffixB}`)).toBe(order);
      }),
    );
  });
});

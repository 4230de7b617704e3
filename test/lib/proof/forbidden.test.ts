import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withForbidden } from '../../../lib/src/proof/forbidden.ts';

const USES: readonly [string, () => unknown, RegExp][] = [
  ['the present as a number', () => Date.now(), /clock/],
  ['the present as a date', () => new Date(), /clock/],
  ['a stopwatch', () => performance.now(), /clock/],
  ['the high resolution clock', () => process.hrtime.bigint(), /clock/],
  ['a random number', () => Math.random(), /random/],
  ['a random identifier', () => randomUUID(), /random/],
  ['a random identifier of the web', () => globalThis.crypto.randomUUID(), /random/],
  ['a locale sort', () => ['b', 'a'].sort((a, b) => a.localeCompare(b)), /locale/],
  ['a locale sort by collator', () => ['b', 'a'].sort(new Intl.Collator().compare), /locale/],
  ['locale case', () => 'I'.toLocaleLowerCase(), /locale/],
  ['a locale number', () => (1000).toLocaleString(), /locale/],
  ['a locale date', () => new Date(0).toLocaleDateString(), /locale/],
  ['a directory listing', () => readdirSync('.'), /file system/],
  ['an environment variable', () => process.env['HOME'], /environment \(HOME\)/],
  ['all environment variables', () => Object.keys(process.env), /environment/],
  ['whether a variable is set', () => 'HOME' in process.env, /environment/],
  ['the working directory', () => process.cwd(), /working directory/],
];

describe('what a renderer must not touch', () => {
  it.each(USES)('%s is refused', (_what, use, message) => {
    expect(() => withForbidden(use)).toThrow(message);
  });

  it.each(USES)('%s is refused even when the caller hides it', (_what, use, message) => {
    expect(() =>
      withForbidden(() => {
        try {
          return use();
        } catch {
          return 'hidden';
        }
      }),
    ).toThrow(message);
  });

  it.each(USES)('%s works again afterwards', (_what, use) => {
    expect(() => withForbidden(use)).toThrow();
    expect(use()).toBeDefined();
  });

  it('a given time is a value like any other', () => {
    expect(withForbidden(() => new Date(0).toISOString())).toBe('1970-01-01T00:00:00.000Z');
  });

  it('the switch that cdk8s asks for may be read', () => {
    expect(withForbidden(() => process.env['CDK8S_DISABLE_SORT'])).toBeUndefined();
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type LanePath, valueAt } from '../../../lib/src/lane/lane-path.ts';
import { validateLane } from '../../../lib/src/lane/validate-lane.ts';
import { validateLaneObject } from '../../../lib/src/lane/validate-lane-object.ts';

const text = readFileSync(join(import.meta.dirname, '../../fixtures/lanes/v0.1.yaml'), 'utf8');
const good = JSON.parse(JSON.stringify(validateLane(text, 'v0.1.yaml').lane)) as unknown;

const places: LanePath[] = [];
const walk = (value: unknown, path: LanePath) => {
  if (path.length > 0) places.push(path);
  if (Array.isArray(value)) for (const index of value.keys()) walk(value[index], [...path, index]);
  else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) walk((value as Record<string, unknown>)[key], [...path, key]);
  }
};
walk(good, []);

type Mutation = { kind: 'delete' | 'replace' | 'add' | 'rename'; path: LanePath; key: string; value: unknown };
const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('', '$(HOME)', 'https://user:hunter2-is-long@host/x', '\u0007', '\ud800', -1, 1e300, [], {}, null),
  // No text can be made of these as of others.
  fc.constantFrom({ toString: 0 }, { toString: null, valueOf: 'x' }, [{ toString: 0 }]),
  fc.string({ unit: 'binary' }),
);
const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('delete', 'replace', 'add', 'rename'),
  path: fc.constantFrom(...places),
  key: fc.oneof(fc.string(), fc.constantFrom('name', 'enabled', 'constructor', 'toString', 'hasOwnProperty', 'length')),
  value: anyValue,
});

function mutate(mutations: readonly Mutation[]): unknown {
  const lane = structuredClone(good);
  for (const { kind, path, key, value } of mutations) {
    const parent = valueAt(lane, path.slice(0, -1)) as Record<string | number, unknown> | undefined;
    const last = path.at(-1) ?? '';
    if (typeof parent !== 'object' || parent === null) continue;
    if (kind === 'delete') delete parent[last];
    else if (kind === 'replace') parent[last] = value;
    else if (key === '__proto__') continue;
    else if (kind === 'add') parent[Array.isArray(parent) ? parent.length : key] = value;
    else {
      parent[Array.isArray(parent) ? parent.length : key] = parent[last];
      delete parent[last];
    }
  }
  return lane;
}

function expectPlacesInside(source: string): void {
  const { problems, lane } = validateLane(source, 'v0.1.yaml');
  const lines = source.replace(/^\ufeff/, '').split('\n');
  for (const { line = 0, column = 0, endLine = 0, endColumn = 0, frame, message, hint } of problems) {
    expect(`${message} ${hint} ${frame}`).not.toContain('hunter2');
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual(Array.from(lines[line - 1] ?? '').length + 1);
    expect(endLine).toBeGreaterThanOrEqual(line);
    expect(endLine).toBeLessThanOrEqual(lines.length);
    if (endLine === line) expect(endColumn).toBeGreaterThanOrEqual(column);
    expect(frame).toContain('^');
  }
  expect(lane === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
}

describe('a lane that was changed at random', () => {
  it('never throws, and every problem has a place in the file', () => {
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        expectPlacesInside(stringify(mutate(mutations), { aliasDuplicateObjects: false }));
      }),
      { numRuns: 400 },
    );
  });

  it('is judged the same as an object', () => {
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const object = mutate(mutations);
        const before = structuredClone(object);
        const { lane, problems } = validateLaneObject(object);
        expect(object).toEqual(before);
        expect(lane === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
        for (const { message } of problems) expect(message).not.toMatch(/hunter2|\[object/);
      }),
      { numRuns: 400 },
    );
  });

  it('never throws when its text is cut, doubled, or has anything in its middle', () => {
    const snippet = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\t',
        '&a ',
        '*a',
        '!!x ',
        '<<: ',
        '---\n',
        '...\n',
        '"',
        "'",
        '[',
        '{',
        '}',
        ': ',
        '- ',
        '|\n',
        '%Y 1\n',
        '\r',
        '? ',
      ),
    );
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(text.length), snippet, (a, b, middle) => {
        expectPlacesInside(text.slice(0, a) + middle + text.slice(b));
      }),
      { numRuns: 600 },
    );
  });

  it('never throws for a text of YAML signs', () => {
    const sign = fc.constantFrom(
      'a',
      ' ',
      '\n',
      ':',
      '-',
      '?',
      '[',
      ']',
      '{',
      '}',
      ',',
      '"',
      "'",
      '#',
      '&',
      '*',
      '!',
      '|',
      '>',
      '%',
      '\t',
      '0',
    );
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 40 }), (signs) => {
        expectPlacesInside(signs.join(''));
      }),
      { numRuns: 1500 },
    );
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { validateLane } from '../../../lib/src/lane/validate-lane.ts';
import { validateLaneObject } from '../../../lib/src/lane/validate-lane-object.ts';

const text = readFileSync(join(import.meta.dirname, '../../fixtures/lanes/v0.1.yaml'), 'utf8');
const good = (): Record<string, unknown> => parse(text) as Record<string, unknown>;

describe('a lane given as an object', () => {
  it('is the same lane as the one of the file', () => {
    expect(validateLaneObject(good())).toEqual({ lane: validateLane(text, 'v0.1.yaml').lane, problems: [] });
  });

  it('is not changed', () => {
    const object = good();
    validateLaneObject(object);
    expect(object).toEqual(good());
  });

  it('may have undefined for an optional field', () => {
    expect(validateLaneObject({ ...good(), labelDomain: undefined }).problems).toEqual([]);
  });

  it('gets problems with a lane path and no place', () => {
    const { lane, problems } = validateLaneObject({ ...good(), nodeId: 5, nodID: 'x' });
    expect(lane).toBeUndefined();
    expect(problems).toEqual([
      expect.objectContaining({ code: 'lane-type', lanePath: 'nodeId' }),
      expect.objectContaining({ code: 'lane-unknown-field', lanePath: 'nodID' }),
    ]);
    for (const problem of problems) expect(problem).not.toHaveProperty('line');
  });

  it.each([null, undefined, 5, 'v0.1', [], new Date(0), new Map(), () => 1, Symbol('x'), 10n])(
    'is refused when it is %s',
    (value) => {
      const { lane, problems } = validateLaneObject(value);
      expect(lane).toBeUndefined();
      expect(problems.length).toBeGreaterThan(0);
    },
  );

  it('is refused when it holds itself, a getter, an instance or a number that is none', () => {
    const cyclic = good();
    cyclic['source'] = cyclic;
    expect(validateLaneObject(cyclic).lane).toBeUndefined();
    const thrower = Object.defineProperty(good(), 'nodeId', {
      enumerable: true,
      get() {
        throw new Error('read');
      },
    });
    expect(validateLaneObject(thrower).problems).toContainEqual(expect.objectContaining({ lanePath: 'nodeId' }));
    expect(validateLaneObject({ ...good(), nodeId: new Date(0) }).problems).toHaveLength(1);
    const nan = validateLaneObject({ ...good(), nodeId: Number.NaN });
    expect(nan.problems.map(({ code }) => code)).toEqual(['lane-type']);
  });
});

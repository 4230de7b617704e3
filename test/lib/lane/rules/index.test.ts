import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Lane } from '../../../../lib/src/lane/lane.ts';
import { isWithin, type LanePath, parseLanePath } from '../../../../lib/src/lane/lane-path.ts';
import { schemaAt } from '../../../../lib/src/lane/lane-schema.ts';
import { LANE_RULES } from '../../../../lib/src/lane/rules/index.ts';
import { validateLane } from '../../../../lib/src/lane/validate-lane.ts';

const folder = join(import.meta.dirname, '../../../fixtures/lanes');
const text = readFileSync(join(folder, 'v0.1.yaml'), 'utf8');
const { lane } = validateLane(text, 'v0.1.yaml');

/** The lane, noting each leaf and each enumerated mapping that is read; of null, as what its fields would be. */
function spied(value: unknown, path: LanePath, reads: LanePath[]): unknown {
  if (typeof value !== 'object' || value === null) {
    reads.push(value === null ? [...path, '*'] : path);
    return value;
  }
  return new Proxy(value, {
    get(target, key, receiver) {
      const found: unknown = Reflect.get(target, key, receiver);
      if (typeof key === 'symbol' || !Object.hasOwn(target, key) || (Array.isArray(target) && key === 'length'))
        return found;
      return spied(found, [...path, Array.isArray(target) ? Number(key) : key], reads);
    },
    ownKeys(target) {
      reads.push(path);
      return Reflect.ownKeys(target);
    },
  });
}

describe.each(LANE_RULES.map((rule, index) => ({ rule, name: `${index} ${rule.reads[0] ?? ''}` })))(
  'the rule $name',
  ({ rule }) => {
    it('reads what it says, and no more', () => {
      const declared = rule.reads.map(parseLanePath);
      for (const path of declared) expect(schemaAt(path), path.join('.')).toBeDefined();
      for (const enabled of [true, false]) {
        const changed = structuredClone(lane) as Lane;
        (changed.deployment.localPostgres as { enabled: boolean }).enabled = enabled;
        const reads: LanePath[] = [];
        rule.check(spied(changed, [], reads) as Lane);
        for (const read of reads) {
          expect(
            declared.some((path) => isWithin(read, path) || (read.at(-1) === '*' && isWithin(path, read.slice(0, -1)))),
            `reads ${read.join('.')}`,
          ).toBe(true);
        }
      }
    });

    it('finds nothing in a good lane', () => {
      expect(rule.check(lane as Lane)).toEqual([]);
    });
  },
);

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageArtifact } from '../../../lib/src/artifacts/artifact.ts';
import { checkRendered } from '../../../lib/src/check/check-rendered.ts';
import type { Finding } from '../../../lib/src/check/finding.ts';
import { originFinder } from '../../../lib/src/check/origins.ts';
import { ERROR_CODES } from '../../../lib/src/errors.ts';
import type { RenderedFile } from '../../../lib/src/render/render-lane.ts';
import { renderLane } from '../../../lib/src/render/render-lane.ts';
import { yamlDocuments } from '../../../lib/src/render/yaml.ts';
import { BROKEN_OUTPUTS, type BrokenOutput } from '../../fixtures/outputs/broken-outputs.ts';
import { contractLane } from '../../helpers/contract-lane.ts';
import { withObjects } from '../../helpers/patched-output.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const lane = contractLane();
const good = renderLane(lane, {
  sourceCommit: COMMIT,
  artifact: imageArtifact(lane, {
    sourceCommit: COMMIT,
    envIdentity: 'env-3f2a9c',
    digest: `sha256:${'ab'.repeat(32)}`,
    status: 'published',
  }),
});
const originsOf = originFinder(good);

const shown = (finding: Finding): string => JSON.stringify(finding);
const isExpected = ({ code, pointer, file }: BrokenOutput, finding: Finding): boolean =>
  finding.code === code && finding.pointer === pointer && finding.file.endsWith(file ?? '');

describe('the check of a broken output', () => {
  it('finds nothing in the good one', () => {
    expect(checkRendered(good)).toEqual([]);
  });

  it('stands in more than 64 rows, each of its own name', () => {
    expect(BROKEN_OUTPUTS.length).toBeGreaterThanOrEqual(64);
    expect(new Set(BROKEN_OUTPUTS.map(({ name }) => name)).size).toBe(BROKEN_OUTPUTS.length);
  });

  it('catches every row, with its code, at its place, and nothing else', () => {
    const wrong = BROKEN_OUTPUTS.flatMap((row) => {
      const findings = checkRendered(row.patch(good));
      const codes = [...new Set(findings.map(({ code }) => code))].sort();
      const expected = [...new Set([row.code, ...(row.also ?? [])])].sort();
      const isCaught = findings.some((finding) => isExpected(row, finding));
      if (isCaught && codes.join() === expected.join()) return [];
      return [
        `${row.name}: ${isCaught ? `also ${codes.join()}` : 'not caught'}\n  ${findings.map(shown).join('\n  ')}`,
      ];
    });
    expect(wrong).toEqual([]);
  });

  it('has every code that the check of an output knows', () => {
    const others = new Set(['output-text', 'output-directory', 'output-write']);
    const known = Object.keys(ERROR_CODES).filter((code) => code.startsWith('output-') && !others.has(code));
    expect([...new Set(BROKEN_OUTPUTS.map(({ code }) => code))].sort()).toEqual(known.sort());
  });

  describe.each(BROKEN_OUTPUTS)('$name', (row) => {
    const findings = checkRendered(row.patch(good));
    const finding = findings.find((candidate) => isExpected(row, candidate));

    it('is traced to the lane', () => {
      expect(finding, findings.map(shown).join('\n')).toBeDefined();
      expect(originsOf(finding as Finding)[0] ?? null).toBe(row.origin);
    });

    it('is told in one line that names the place', () => {
      for (const { message, hint = '', object, pointer } of findings) {
        expect(`${message}${hint}`).not.toMatch(/[\n\r]|undefined|\[object|must NOT|instancePath/);
        if (object !== undefined) expect(message).toContain(object);
        if (object !== undefined && pointer !== undefined) expect(message).toContain(pointer);
      }
    });
  });

  it.each(BROKEN_OUTPUTS.filter(({ secret }) => secret !== undefined))(
    '$name is not shown',
    ({ patch, secret = '' }) => {
      const told = checkRendered(patch(good)).map(shown).join('\n');
      expect(secret.length).toBeGreaterThan(6);
      for (const line of secret.split('\n')) expect(told).not.toContain(line);
    },
  );

  it('never throws, whatever stands in an object', () => {
    const files = [good.controlPlane, ...good.files].filter(({ objects }) => objects.length > 0);
    const places = files.flatMap(({ path, objects }) =>
      objects.flatMap((object, index) => pointers(object).map((keys) => ({ path, index, keys }))),
    );
    // Some cannot be made a text of as others can.
    const odd: unknown[] = [{ name: null }, { toString: 0 }, { valueOf: 'x', toString: null }, [{ toString: 0 }]];
    const junk = fc.constantFrom<unknown>(null, 0, 1.5, '', 'x', '$(params.', true, [], {}, [null], [[]], ...odd);
    fc.assert(
      fc.property(fc.constantFrom(...places), junk, ({ path, index, keys }, value) => {
        const change = (file: RenderedFile): RenderedFile => {
          if (file.path !== path) return file;
          const objects = structuredClone(file.objects) as (typeof file.objects)[number][];
          let holder = objects[index] as Record<string, unknown>;
          for (const key of keys.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
          holder[keys.at(-1) ?? ''] = value;
          return withObjects(file, objects);
        };
        const broken = { ...good, controlPlane: change(good.controlPlane), files: good.files.map(change) };
        for (const finding of checkRendered(broken)) expect(finding.message).not.toBe('');
      }),
      { numRuns: 1000, seed: 20_260_601 },
    );
  });

  it('leaves what it looks at as it was', () => {
    const before = yamlDocuments([good.controlPlane, ...good.files].flatMap(({ objects }) => objects));
    for (const row of BROKEN_OUTPUTS) checkRendered(row.patch(good));
    expect(yamlDocuments([good.controlPlane, ...good.files].flatMap(({ objects }) => objects))).toBe(before);
    expect(checkRendered(good)).toEqual([]);
  });
});

/** The keys of every value within an object. */
function pointers(value: unknown, keys: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return keys.length === 0 ? [] : [keys];
  const below = Object.entries(value).flatMap(([key, item]) => pointers(item, [...keys, key]));
  return keys.length === 0 ? below : [keys, ...below];
}

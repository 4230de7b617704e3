import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WRAPPERS } from '../../../lib/scripts/object-schemas/jsii-definitions.ts';
import { RENDERED_KINDS } from '../../../lib/scripts/object-schemas/kinds.ts';
import { objectSchemas } from '../../../lib/scripts/object-schemas/object-schemas.ts';
import { OVERLAY } from '../../../lib/scripts/object-schemas/overlay/index.ts';
import { REMOVED_FIELDS } from '../../../lib/scripts/object-schemas/removed-fields.ts';
import { objectAjv } from '../../../lib/scripts/standalone-validator.ts';
import { checkObjectSchema } from '../../../lib/src/check/object-schema.ts';
import { validators } from '../../../lib/src/check/schemas/objects.gen.ts';
import { brokenObject, GOOD_OBJECTS, goodObject } from '../../helpers/good-objects.ts';

const root = resolve(import.meta.dirname, '../../..');
const { $defs } = await objectSchemas(root);

describe('the good objects', () => {
  it('are one of each rendered kind', () => {
    expect(GOOD_OBJECTS.map(({ kind }) => kind).sort()).toEqual(RENDERED_KINDS.map(({ kind }) => kind).sort());
  });

  it.each(GOOD_OBJECTS.map((object) => [object.kind, object] as const))('%s passes', (_kind, object) => {
    expect(checkObjectSchema(object)).toEqual([]);
  });
});

describe('each row of the overlay', () => {
  it('has an id of its own', () => {
    expect(new Set(OVERLAY.map(({ id }) => id)).size).toBe(OVERLAY.length);
  });

  it.each(OVERLAY.map((row) => [row.id, row] as const))('%s refuses its example, at its place, alone', (_id, row) => {
    const { kind, at, value, reports = at } = row.broken;
    const findings = checkObjectSchema(brokenObject(kind, at, value));
    expect(findings.map(({ pointer }) => pointer)).toEqual([reports]);
  });

  it('is what refuses: without the overlay every example passes', async () => {
    const bare = await objectSchemas(root, []);
    const ajv = objectAjv();
    ajv.addSchema({ ...bare, $id: 'bare' });
    const refusedAnyway = OVERLAY.filter(({ broken: { kind, at, value } }) => {
      return ajv.getSchema(`bare#/$defs/${kind}`)?.(brokenObject(kind, at, value)) !== true;
    });
    expect(refusedAnyway.map(({ id }) => id)).toEqual([]);
  });

  it('leaves no number that is not an integer, and no quantity or port without a form', () => {
    expect(Object.keys($defs).filter((name) => Object.hasOwn(WRAPPERS, name))).toEqual([]);
    expect(JSON.stringify($defs)).not.toContain('"type":"number"');
  });

  it('leaves every object closed, or a map', () => {
    const open: string[] = [];
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const schema = node as { type?: unknown; additionalProperties?: unknown };
      if (schema.type === 'object' && schema.additionalProperties === undefined) open.push(path);
      for (const [key, child] of Object.entries(node)) visit(child, `${path}/${key}`);
    };
    visit($defs, '');
    expect(open).toEqual([]);
  });
});

describe('the kind rows', () => {
  it.each(RENDERED_KINDS)('the validator of $kind holds for nothing else', ({ kind, apiVersion }) => {
    const validate = validators[`${apiVersion}/${kind}`];
    expect(validate?.(goodObject(kind))).toBe(true);
    expect(validate?.({ ...goodObject(kind), kind: `${kind}s` })).toBe(false);
    expect(validate?.({ ...goodObject(kind), apiVersion: 'example.com/v9' })).toBe(false);
  });
});

describe('fields that the API knows and no rendered object may carry', () => {
  const places: Record<string, [string, string]> = {
    ObjectMeta: ['Deployment', '/metadata'],
    PodSpec: ['Deployment', '/spec/template/spec'],
    Volume: ['Deployment', '/spec/template/spec/volumes/0'],
  };
  const cases = REMOVED_FIELDS.flatMap(({ definition, properties }) =>
    properties.map((property) => [definition, property] as const),
  );

  it.each(cases)('%s.%s is unknown', (definition, property) => {
    const [kind, holder] = places[definition] ?? ['', ''];
    const findings = checkObjectSchema(brokenObject(kind, `${holder}/${property}`, {}));
    expect(findings.map(({ pointer }) => pointer)).toEqual([`${holder}/${property}`]);
    expect(findings[0]?.message).toContain('unknown field');
  });
});

import fc from 'fast-check';

/** Written into JSON by {@link wrongJson} as what `JSON.stringify` cannot say. */
const RAW = { '@huge@': '1e400', '@proto@': '__proto__' } as const;

const nested = (depth: number, isList: boolean): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = isList ? [value] : { a: value };
  return value;
};

/** Texts that have broken a parser, a database, a path or a header somewhere. */
export const WRONG_TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\u0007',
  '\uD800',
  'x\uDC00y',
  '\u202E\u200B',
  '🦀'.repeat(50),
  '../../etc/passwd',
  '..%2f..%2f',
  "'; DROP TABLE agentrun_runs; --",
  '{{7*7}} ${7*7} $(id)',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  '-1',
  '1e309',
  '0x10',
  '9007199254740993',
  '2147483648',
  'x'.repeat(129),
  'x'.repeat(10_000),
  'line\r\nheader: x',
  '2026-02-30T00:00:00Z',
  '0000-01-01T00:00:00.000000Z',
  'run_none',
  'WyIyMDI2LTAyLTMwVDAwOjAwOjAwLjAwMDAwMFoiLCJhIl0',
] as const;

/** Values of every type, in every place wrong somewhere. */
const wrongValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...WRONG_TEXTS) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      -1,
      1.5,
      -0,
      2_147_483_648,
      9_007_199_254_740_992,
      1e300,
      '@huge@',
      [],
      {},
      [null],
      { '@proto@': { polluted: true } },
      { constructor: { prototype: { polluted: true } } },
      { toString: 1, valueOf: 2, hasOwnProperty: 3, then: 4, toJSON: 5, length: 6 },
      { '': 1, '\0': 2 },
      nested(70, true),
      nested(70, false),
      nested(40, false),
      Array.from({ length: 600 }, () => 1),
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

/** A change of a good value: where, counted through all its places, and to what. */
export interface Change {
  readonly place: number;
  readonly kind: 'replace' | 'remove' | 'add';
  readonly value: unknown;
}
export const change: fc.Arbitrary<Change> = fc.record({
  place: fc.nat(200),
  kind: fc.constantFrom('replace', 'replace', 'remove', 'add'),
  value: wrongValue,
});

type Holder = Record<string | number, unknown>;

/** Changes a copy of a value in one of its places; the whole value is one of them. */
export function changed(value: unknown, { place, kind, value: wrong }: Change): unknown {
  const places: (readonly [Holder, string | number])[] = [];
  const root: Holder = { root: structuredClone(value) };
  const visit = (holder: Holder, key: string | number): void => {
    places.push([holder, key]);
    const inner = holder[key];
    if (typeof inner !== 'object' || inner === null) return;
    for (const next of Array.isArray(inner) ? inner.keys() : Object.keys(inner)) visit(inner as Holder, next);
  };
  visit(root, 'root');
  const [holder, key] = places[place % places.length] ?? [root, 'root'];
  const inner = holder[key];
  if (kind === 'remove' && holder !== root) delete holder[key];
  else if (kind === 'add' && typeof inner === 'object' && inner !== null) (inner as Holder)['surplus'] = wrong;
  else holder[key] = wrong;
  return root['root'];
}

/** JSON with what `JSON.stringify` cannot say: infinite numbers, and keys that reach for prototypes. */
export function wrongJson(value: unknown): string {
  return (JSON.stringify(value) ?? '').replaceAll('"@huge@"', RAW['@huge@']).replaceAll('@proto@', RAW['@proto@']);
}

/** Bodies that are no JSON. */
export const brokenBody: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .constantFrom(
      '{',
      '{"a":',
      '[1,]',
      '"',
      'nul',
      '{"a":1}}',
      "{'a':1}",
      '\u{FEFF}{"a"}',
      '[[[[[[',
      '{"a":1e}',
      '{"a":"\\ud8"}',
      '/* */ {}',
    )
    .map((text) => new TextEncoder().encode(text)),
  fc
    .constantFrom([0xc0, 0x80], [0x22, 0xff, 0x22], [0xed, 0xa0, 0x80], [0x1f, 0x8b, 0x08])
    .map((bytes) => Uint8Array.from(bytes)),
);

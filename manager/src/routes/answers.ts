/** Schemas of answers: they document, and tests hold the answers to them. */
export function pageOf(items: object) {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['items', 'count', 'cursor'],
    properties: {
      items: { type: 'array', items },
      count: { type: 'integer' },
      cursor: { type: ['string', 'null'], description: 'where the next page begins; null after the last' },
      filters: { type: 'object', additionalProperties: true },
    },
  } as const;
}

export function listOf(items: object) {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['items'],
    properties: { items: { type: 'array', items }, count: { type: 'integer' }, lastSeq: { type: 'integer' } },
  } as const;
}

/** A closed object: all its members are there, but those that are named as optional. */
export function closed(
  properties: Readonly<Record<string, object>>,
  { optional = [], nullable = false }: { readonly optional?: readonly string[]; readonly nullable?: boolean } = {},
) {
  return {
    type: nullable ? ['object', 'null'] : 'object',
    additionalProperties: false,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    properties,
  };
}

/** An object whose members are told in the pages of the documentation. */
export const RECORD = { type: 'object', additionalProperties: true } as const;

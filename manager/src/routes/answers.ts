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

/** An object whose members are told in the pages of the documentation. */
export const RECORD = { type: 'object', additionalProperties: true } as const;

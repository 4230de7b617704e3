import type { FastifyTypeProvider } from 'fastify';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

/**
 * Types `request.body`, `.query` and `.params` from the JSON Schemas of the route.
 *
 * A body is left as it came: what has a default may be absent. Defaults of a query are filled in, and {@link query}
 * tells the types so.
 */
export interface SchemaTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends JSONSchema
    ? this['schema'] extends { readonly 'x-defaults': 'filled' }
      ? FromSchema<this['schema']>
      : FromSchema<this['schema'], { keepDefaultedPropertiesOptional: true }>
    : unknown;
  readonly serializer: unknown;
}

/** The schema of a closed query, from its parameters: `query({ limit: { type: 'integer', default: 50 } })`. */
export function query<const Properties extends Readonly<Record<string, JSONSchema>>>(properties: Properties) {
  return { type: 'object', additionalProperties: false, properties, 'x-defaults': 'filled' } as const;
}

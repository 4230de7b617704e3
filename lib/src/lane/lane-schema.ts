import { formatLanePath, type LanePath } from './lane-path.ts';
import { laneSchema } from './schema/index.ts';

/** What the diagnostics read of a JSON Schema. */
export interface FieldSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly additionalProperties?: boolean | FieldSchema;
  readonly items?: FieldSchema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly minProperties?: number;
  readonly propertyNames?: FieldSchema;
  readonly examples?: readonly unknown[];
  readonly 'x-expected'?: string;
}

const root: FieldSchema = laneSchema;

/** The schema of the place; undefined where the lane has no such place. */
export function schemaAt(path: LanePath): FieldSchema | undefined {
  let here: FieldSchema | undefined = root;
  for (const step of path) {
    if (here === undefined) return undefined;
    here = typeof step === 'number' ? here.items : childSchema(here, step);
  }
  return here;
}

function childSchema(schema: FieldSchema, key: string): FieldSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** The schema that a schema path of the validator leads to, such as `#/properties/version`. */
export function schemaOfPointer(pointer: string): FieldSchema {
  let here: unknown = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    here = (here as Record<string, unknown> | undefined)?.[key];
  }
  return (here ?? {}) as FieldSchema;
}

/** The fields that a mapping may have; empty where it is free. */
export function fieldNames(schema: FieldSchema | undefined): string[] {
  return Object.keys(schema?.properties ?? {});
}

let places: Map<string, string[]> | undefined;

/** The dotted paths of the mappings that have a field of this name; the root is "the lane itself". */
export function homesOfField(name: string): readonly string[] {
  places ??= collectPlaces();
  return places.get(name) ?? [];
}

function collectPlaces(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const walk = (schema: FieldSchema, path: LanePath) => {
    for (const [name, child] of Object.entries(schema.properties ?? {})) {
      const homes = found.get(name) ?? [];
      homes.push(path.length === 0 ? 'the lane itself' : formatLanePath(path));
      found.set(name, homes);
      walk(child, [...path, name]);
    }
  };
  walk(root, []);
  return found;
}

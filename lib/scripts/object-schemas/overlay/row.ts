import type { Json } from '../../../src/manifests/kubernetes-object.ts';
import { ref, type Schema } from '../schema.ts';

/** How a good object of a kind is broken, so that exactly this row refuses it. */
export interface BrokenExample {
  readonly kind: string;
  /** JSON pointer of the value that is set, or of the field that is taken away when `value` is absent. */
  readonly at: string;
  readonly value?: Json;
  /** Where the finding points; `at` unless said. */
  readonly reports?: string;
}

/** One thing that the generated definitions do not carry. */
export interface OverlayRow {
  readonly id: string;
  /** Name of the definition; `*` for each of them. */
  readonly definition: string;
  /**
   * Where in the definition: names joined by ".", each with `[]` for the items of a list, `{}` for the values of a
   * map and `{key}` for its keys. Empty for the definition itself; `*` for each number.
   */
  readonly property: string;
  readonly constraint: Schema;
  readonly why: string;
  readonly broken: BrokenExample;
}

export const row = (
  id: string,
  definition: string,
  property: string,
  constraint: Schema | string,
  why: string,
  broken: BrokenExample,
): OverlayRow => ({
  id,
  definition,
  property,
  constraint: typeof constraint === 'string' ? ref(constraint) : constraint,
  why,
  broken,
});

export const words = (...allowed: string[]): Schema => ({ enum: allowed });

export const set = (kind: string, at: string, value: Json, reports?: string): BrokenExample => ({
  kind,
  at,
  value,
  ...(reports === undefined ? {} : { reports }),
});

/** Taking a field away is reported at the object that misses it. */
export const remove = (kind: string, at: string): BrokenExample => ({
  kind,
  at,
  reports: at.slice(0, at.lastIndexOf('/')),
});

export const NOT_NEGATIVE: Schema = { minimum: 0 };
export const POSITIVE: Schema = { minimum: 1 };

/** Places in the good Deployment that many rows break. */
export const POD = '/spec/template/spec';
export const CONTAINER = `${POD}/containers/0`;

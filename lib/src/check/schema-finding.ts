/** Replaces what might be a secret in a text of the object. */
export type Mask = (text: string) => string;

/** One thing that the schema of its kind refuses in an object. */
export interface SchemaFinding {
  readonly code: 'output-schema' | 'output-no-schema';
  /** JSON pointer: of the value, of the key of an unknown field, or of the object that misses a field. */
  readonly pointer: string;
  /** What is wrong, what was found and what is allowed; texts of the object are masked. */
  readonly message: string;
  readonly hint?: string;
}

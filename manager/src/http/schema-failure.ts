import type { Redactor } from '@agentrun/lib/contract';
import type { ErrorObject } from 'ajv/dist/2020.js';
import { Failure } from '../failure.ts';
import { describeError, type FieldError } from './field-error.ts';
import { withoutOtherBranches } from './union-errors.ts';

/** At most so many errors are answered; `more` counts the others. */
const MOST_REPORTED = 20;

const ROOTS: Readonly<Record<string, string>> = { querystring: 'query' };

export interface RefusedPart {
  /** Where the value stood: `body`, `querystring`, `params` or `headers`. */
  readonly part: string;
  readonly value: unknown;
  /** Whether it stood for a body that was not sent. */
  readonly absent: boolean;
  readonly redactor: Redactor;
}

/** What is wrong with a part of a request: all of it, in sentences, one for each place. */
export function schemaFailure(errors: readonly ErrorObject[], { part, value, absent, redactor }: RefusedPart): Failure {
  const root = ROOTS[part] ?? part;
  const ofPath = new Map<string, FieldError>();
  const others = new Set<string>();
  for (const error of withoutOtherBranches(errors)) {
    if (ofPath.size >= MOST_REPORTED) {
      others.add(
        `${error.instancePath} ${String(error.params['additionalProperty'] ?? error.params['missingProperty'])}`,
      );
      continue;
    }
    const field = describeError(root, error, value, redactor);
    if (!ofPath.has(field.path)) ofPath.set(field.path, field);
  }
  const reported = [...ofPath.values()];
  const more = others.size;
  const beside = reported.length - 1 + more;
  const first = reported[0]?.message ?? `${root} is not valid`;
  const message = `${absent ? 'The request has no body: ' : ''}${first}${beside > 0 ? ` (and ${beside} more)` : ''}`;
  return new Failure('schema-invalid', message, {
    details: { part: root, errors: reported, ...(more > 0 ? { more } : {}) },
  });
}

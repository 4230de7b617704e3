import { Failure } from './failure.ts';

/**
 * A field that the schema accepts and the state of things does not: answered as a fault of the schema would be.
 *
 * @param path as in JavaScript, from `body`, `query`, `params` or `headers`.
 * @param why the rest of the sentence that begins with the path.
 */
export function invalidField(path: string, why: string, received: unknown = null): Failure {
  const message = `${path} ${why}`;
  const [part = 'body'] = path.split(/[.[]/, 1);
  const pointer = path
    .slice(part.length)
    .replaceAll(/\[(\d+)\]/g, '/$1')
    .replaceAll('.', '/');
  return new Failure('schema-invalid', message, {
    details: { part, errors: [{ path, pointer, message, received: received === null ? null : shown(received) }] },
  });
}

function shown(received: unknown): string {
  return (JSON.stringify(received) ?? 'nothing').slice(0, 120);
}

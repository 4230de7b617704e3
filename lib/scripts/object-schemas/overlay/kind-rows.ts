import { RENDERED_KINDS } from '../kinds.ts';
import { type OverlayRow, remove, row, set } from './row.ts';

/** What every kind needs: its own apiVersion and kind, and a name in the syntax of the kind. */
export const KIND_ROWS: readonly OverlayRow[] = RENDERED_KINDS.flatMap(({ kind, apiVersion, name }) => [
  row(
    `${kind}-api-version`,
    kind,
    'apiVersion',
    { type: 'string', const: apiVersion },
    'The API group and version that serve the kind.',
    set(kind, '/apiVersion', 'example.com/v9'),
  ),
  row(
    `${kind}-kind`,
    kind,
    'kind',
    { type: 'string', const: kind },
    'The definition holds for this kind only.',
    set(kind, '/kind', `${kind}s`),
  ),
  row(
    `${kind}-needs-api-version`,
    kind,
    '',
    { required: ['apiVersion'] },
    'Without it no API server knows the object.',
    remove(kind, '/apiVersion'),
  ),
  row(
    `${kind}-needs-kind`,
    kind,
    '',
    { required: ['kind'] },
    'Without it no API server knows the object.',
    remove(kind, '/kind'),
  ),
  ...(name === null
    ? []
    : [
        row(
          `${kind}-needs-metadata`,
          kind,
          '',
          { required: ['metadata'] },
          'The name stands there.',
          remove(kind, '/metadata'),
        ),
        row(
          `${kind}-needs-name`,
          kind,
          'metadata',
          { required: ['name'] },
          'An object without a name cannot be applied.',
          remove(kind, '/metadata/name'),
        ),
        row(
          `${kind}-name`,
          kind,
          'metadata.name',
          name,
          'The API server refuses other names.',
          set(kind, '/metadata/name', name === 'PathSegment' ? 'a/b' : 'BAD_Name!'),
        ),
      ]),
]);

import type { FromSchema } from 'json-schema-to-ts';
import { ID_PATTERN, NULL_TEXT, VALUES_PRINTED } from './scalar.ts';

const COUNT = { type: 'integer', minimum: 0 } as const;

/** What an agent changed in one checkout, or in a workspace without one. */
export const WORKSPACE_CHANGE = {
  type: 'object',
  additionalProperties: false,
  required: ['path', 'bundleCommit', 'patch', 'truncated', 'files', 'insertions', 'deletions'],
  properties: {
    path: { type: 'string', description: 'of the checkout, below the workspace; "." is the workspace itself' },
    bundleCommit: { ...NULL_TEXT, description: 'what it is compared with; null: with nothing, so every file is new' },
    patch: { type: 'string', description: "in git's form, at most 1 MiB" },
    truncated: { type: 'boolean', description: 'the patch is cut' },
    files: COUNT,
    insertions: COUNT,
    deletions: COUNT,
  },
} as const;
/** What an agent changed in one checkout, or in a workspace without one. */
export type WorkspaceChange = FromSchema<typeof WORKSPACE_CHANGE>;

/** What the agents of a session changed. */
export const WORKSPACE_CHANGES = {
  type: 'object',
  additionalProperties: false,
  required: ['sessionId', 'items', 'count', 'valuesPrinted'],
  properties: {
    sessionId: { type: 'string', pattern: ID_PATTERN },
    items: { type: 'array', items: WORKSPACE_CHANGE },
    count: COUNT,
    valuesPrinted: VALUES_PRINTED,
  },
} as const;
/** What the agents of a session changed. */
export type WorkspaceChanges = FromSchema<typeof WORKSPACE_CHANGES>;

/** A file or a folder of a workspace: a folder has `entries`, a file `size` and either `content` or `contentBase64`. */
export const WORKSPACE_FILE = {
  type: 'object',
  additionalProperties: false,
  required: ['path', 'kind', 'truncated'],
  properties: {
    path: { type: 'string' },
    kind: { type: 'string', enum: ['file', 'directory'] },
    truncated: { type: 'boolean', description: 'there is more than 1 MiB, or more than 2,000 entries' },
    size: { ...COUNT, description: 'of the whole file, in bytes' },
    content: { type: 'string', description: 'of a text' },
    contentBase64: { type: 'string', description: 'of anything else' },
    entries: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'kind'],
        properties: {
          name: { type: 'string' },
          kind: { type: 'string', enum: ['file', 'directory', 'link', 'other'] },
        },
      },
    },
  },
} as const;
/** A file or a folder of a workspace. */
export type WorkspaceFile = FromSchema<typeof WORKSPACE_FILE>;

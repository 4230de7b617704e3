import { STORAGE_REFRESH, STORAGE_SUMMARY, WORKSPACE_CHANGES, WORKSPACE_FILE } from '@agentrun/lib/contract';
import { Failure } from '../failure.ts';
import { attemptOfRequest, holder } from '../http/caller.ts';
import type { ManagerServer } from '../http/server.ts';
import { query } from '../http/type-provider.ts';
import { asHolder } from '../services/holder.ts';
import {
  evictSession,
  lookAtStorage,
  patchStorage,
  patchStorageIn,
  storageSummary,
  sweepSessions,
} from '../services/session-storage.ts';
import { sessionChanges, sessionFile } from '../services/session-workspace.ts';
import { SESSION_PARAMS } from './parameters.ts';
import type { Serving } from './serving.ts';
import { STORAGE_DELETED, STORAGE_REFRESHED, SWEPT } from './session-answers.ts';

export function sessionStorageRoutes(app: ManagerServer, serving: Serving): void {
  app.get(
    '/api/v1/sessions/:sessionId/storage',
    { schema: { params: SESSION_PARAMS, response: { 200: STORAGE_SUMMARY } } },
    async ({ params }) => await lookAtStorage(serving, params.sessionId),
  );

  app.get(
    '/api/v1/sessions/:sessionId/changes',
    { schema: { params: SESSION_PARAMS, response: { 200: WORKSPACE_CHANGES } } },
    async ({ params }) => await sessionChanges(serving, params.sessionId),
  );

  app.get(
    '/api/v1/sessions/:sessionId/files',
    {
      schema: {
        params: SESSION_PARAMS,
        querystring: query({
          path: {
            type: 'string',
            maxLength: 4096,
            pattern: '^[^\\u0000]*$',
            default: '.',
            description: 'below the workspace',
          },
        }),
        response: { 200: WORKSPACE_FILE },
      },
    },
    async (request) => await sessionFile(serving, request.params.sessionId, request.query.path),
  );

  app.delete(
    '/api/v1/sessions/:sessionId/storage',
    { schema: { params: SESSION_PARAMS, response: { 200: STORAGE_DELETED } } },
    async ({ params }) => await evictSession(serving, params.sessionId),
  );

  app.post(
    '/api/v1/sessions/:sessionId/storage/refresh',
    {
      config: { auth: 'any' },
      schema: { params: SESSION_PARAMS, body: STORAGE_REFRESH, response: { 200: STORAGE_REFRESHED } },
    },
    async (request) => {
      const { sessionId } = request.params;
      const { body } = request;
      const patch = {
        pvcName: body.pvcName,
        namespace: body.namespace,
        pvcPhase: body.pvcPhase,
        sizeBytes: body.storageSizeBytes,
        filesCount: body.storageFilesCount,
        sha256: body.storageSha256,
        updatedAt: body.storageUpdatedAt,
        codexRolloutSubdir: body.codexRolloutSubdir,
      };
      const row =
        attemptOfRequest(request) === undefined
          ? await patchStorage(serving, sessionId, patch)
          : await asHolder(serving, holder(request), async (sql, run) => {
              if (run.session_id === sessionId) return await patchStorageIn(sql, sessionId, patch);
              throw new Failure('forbidden', `The token is not for a run of session ${sessionId}.`);
            });
      return { action: 'session-storage-refreshed', sessionId, summary: storageSummary(row), valuesPrinted: false };
    },
  );

  app.post('/api/v1/sessions/storage/gc', { schema: { response: { 200: SWEPT } } }, async () => {
    const report = await sweepSessions(serving);
    if (report.couldNotLook === null) return report;
    throw new Failure('unavailable', `the volumes could not be listed: ${report.couldNotLook}`, {
      details: { ...report },
      retryAfterMs: 5000,
    });
  });
}

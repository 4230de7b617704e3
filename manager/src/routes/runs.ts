import { CANCEL, CREATE_RUN, REPORT_STATUS, RUN, RUN_STATUSES } from '@agentrun/lib/contract';
import type { FastifyRequest } from 'fastify';
import { holder } from '../http/caller.ts';
import type { ManagerServer } from '../http/server.ts';
import { query } from '../http/type-provider.ts';
import { cancelRun } from '../services/cancel.ts';
import { keyOf } from '../services/idempotent.ts';
import { reportRun } from '../services/report-run.ts';
import { runResult } from '../services/result.ts';
import { runRow } from '../services/run-row.ts';
import { createRun, pageOfRuns } from '../services/runs.ts';
import { runRecord } from '../store/runs.ts';
import { resultRead, runCreated, runReported } from '../telemetry/spans-of-answers.ts';
import { pageOf } from './answers.ts';
import { CURSOR, KEY_HEADERS, keyHeader, keyScope, LABEL, limit, QUERY_ID, RUN_PARAMS } from './parameters.ts';
import { RESULT } from './result-answers.ts';
import type { Serving } from './serving.ts';
import { inTrace } from './trace-sink.ts';

/** A bundle may hold files; the limit of a body, in bytes. */
const BODY_LIMIT = 8 * 1024 * 1024;

export function runRoutes(app: ManagerServer, serving: Serving): void {
  const { redact } = serving;

  app.post(
    '/api/v1/runs',
    {
      config: { spans: runCreated },
      bodyLimit: BODY_LIMIT,
      schema: { body: CREATE_RUN, headers: KEY_HEADERS, response: { 200: RUN } },
    },
    async (request) => {
      const { body, headers } = request;
      // The key is one of what was sent: its trace differs each time that it is.
      const key = keyOf(keyScope('POST /runs', body), body, keyHeader(headers), body.idempotencyKey);
      return await createRun(serving, inTrace(request as FastifyRequest, body), key);
    },
  );

  app.get(
    '/api/v1/runs',
    {
      schema: {
        querystring: query({
          status: {
            type: 'string',
            enum: [...RUN_STATUSES, 'open'],
            description: '"open" is every one that has not ended',
          },
          sessionId: QUERY_ID,
          backendProfile: LABEL,
          tenantId: LABEL,
          projectId: LABEL,
          cursor: CURSOR,
          limit: limit(200, 50),
        }),
        response: { 200: pageOf(RUN) },
      },
    },
    async (request) => await pageOfRuns(serving, request.query),
  );

  app.get('/api/v1/runs/:runId', { schema: { params: RUN_PARAMS, response: { 200: RUN } } }, async ({ params }) =>
    redact.json(runRecord(await runRow(serving.pool, params.runId))),
  );

  app.get(
    '/api/v1/runs/:runId/result',
    {
      config: { spans: resultRead },
      schema: { params: RUN_PARAMS, querystring: query({ commandId: QUERY_ID }), response: { 200: RESULT } },
    },
    async (request) => await runResult(serving, request.params.runId, request.query.commandId),
  );

  app.post(
    '/api/v1/runs/:runId/cancel',
    { schema: { params: RUN_PARAMS, body: CANCEL, response: { 200: RUN } } },
    async ({ params, body }) => redact.json(await cancelRun(serving, params.runId, body?.reason)),
  );

  app.patch(
    '/api/v1/runs/:runId/status',
    {
      config: { auth: 'runner', spans: runReported },
      schema: { params: RUN_PARAMS, body: REPORT_STATUS, response: { 200: RUN } },
    },
    async (request) => await reportRun(serving, holder(request), request.body),
  );
}

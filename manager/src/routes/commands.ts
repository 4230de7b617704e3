import {
  CANCEL,
  COMMAND,
  COMMANDS_NEXT,
  CREATE_COMMAND,
  NEXT_WAIT_MS,
  PROMPT_BYTES,
  REPORT_STATUS,
} from '@agentrun/lib/contract';
import { holder } from '../http/caller.ts';
import type { ManagerServer } from '../http/server.ts';
import { query } from '../http/type-provider.ts';
import { cancelCommand } from '../services/cancel.ts';
import { createCommand } from '../services/create-command.ts';
import { keyOf } from '../services/idempotent.ts';
import { reportCommand } from '../services/report-command.ts';
import { runResult } from '../services/result.ts';
import { runRow } from '../services/run-row.ts';
import { acknowledgeCommand, commandOf, nextCommands } from '../services/work.ts';
import { commandRecord, listCommands } from '../store/commands.ts';
import { commandCreated, commandReported, resultRead } from '../telemetry/spans-of-answers.ts';
import { listOf } from './answers.ts';
import {
  AFTER_SEQ,
  COMMAND_PARAMS,
  KEY_HEADERS,
  keyHeader,
  limit,
  RUN_COMMAND_PARAMS,
  RUN_PARAMS,
} from './parameters.ts';
import { RESULT } from './result-answers.ts';
import type { Serving } from './serving.ts';

/** A prompt of the greatest length, with all that is not ASCII escaped, and what is around it; in bytes. */
export const COMMAND_BODY_LIMIT = 3 * PROMPT_BYTES + 1024 * 1024;

export function commandRoutes(app: ManagerServer, serving: Serving): void {
  const { redact } = serving;

  app.post(
    '/api/v1/runs/:runId/commands',
    {
      config: { spans: commandCreated },
      bodyLimit: COMMAND_BODY_LIMIT,
      schema: { params: RUN_PARAMS, body: CREATE_COMMAND, headers: KEY_HEADERS, response: { 200: COMMAND } },
    },
    async ({ params: { runId }, body, headers }) => {
      const key = keyOf(`POST /runs/${runId}/commands`, body, keyHeader(headers), body.idempotencyKey);
      return await createCommand(serving, runId, body, key);
    },
  );

  app.get(
    '/api/v1/runs/:runId/commands',
    {
      schema: {
        params: RUN_PARAMS,
        querystring: query({ afterSeq: AFTER_SEQ, limit: limit(100, 20) }),
        response: { 200: listOf(COMMAND) },
      },
    },
    async ({ params, query: { afterSeq, limit: most } }) => {
      const { id } = await runRow(serving.pool, params.runId);
      const rows = await listCommands(serving.pool, id, afterSeq, most);
      return { items: rows.map((row) => redact.json(commandRecord(row))) };
    },
  );

  app.get(
    '/api/v1/runs/:runId/commands/next',
    {
      config: { auth: 'runner' },
      schema: {
        params: RUN_PARAMS,
        querystring: query({
          afterSeq: AFTER_SEQ,
          waitMs: { type: 'integer', minimum: 0, maximum: NEXT_WAIT_MS, default: 0 },
        }),
        response: { 200: COMMANDS_NEXT },
      },
    },
    async (request) => {
      const over = new AbortController();
      const end = () => over.abort();
      // The caller went away, or the manager stops: nobody waits any more.
      request.raw.socket.once('close', end);
      app.drain.signal.addEventListener('abort', end, { once: true });
      if (request.raw.socket.destroyed || app.drain.signal.aborted) end();
      try {
        return await nextCommands(serving, holder(request), { ...request.query, signal: over.signal });
      } finally {
        request.raw.socket.off('close', end);
        app.drain.signal.removeEventListener('abort', end);
      }
    },
  );

  app.get(
    '/api/v1/runs/:runId/commands/:commandId',
    { schema: { params: RUN_COMMAND_PARAMS, response: { 200: COMMAND } } },
    async ({ params: { runId, commandId } }) => {
      await runRow(serving.pool, runId);
      return redact.json(commandRecord(await commandOf(serving.pool, runId, commandId)));
    },
  );

  app.get(
    '/api/v1/runs/:runId/commands/:commandId/result',
    { config: { spans: resultRead }, schema: { params: RUN_COMMAND_PARAMS, response: { 200: RESULT } } },
    async ({ params: { runId, commandId } }) => await runResult(serving, runId, commandId),
  );

  app.post(
    '/api/v1/commands/:commandId/ack',
    { config: { auth: 'runner' }, schema: { params: COMMAND_PARAMS, response: { 200: COMMAND } } },
    async (request) => await acknowledgeCommand(serving, holder(request), request.params.commandId),
  );

  app.patch(
    '/api/v1/commands/:commandId/status',
    {
      config: { auth: 'runner', spans: commandReported },
      schema: { params: COMMAND_PARAMS, body: REPORT_STATUS, response: { 200: COMMAND } },
    },
    async (request) => await reportCommand(serving, holder(request), request.params.commandId, request.body),
  );

  app.post(
    '/api/v1/commands/:commandId/cancel',
    { schema: { params: COMMAND_PARAMS, body: CANCEL, response: { 200: COMMAND } } },
    async ({ params, body }) => redact.json(await cancelCommand(serving, params.commandId, body?.reason)),
  );
}

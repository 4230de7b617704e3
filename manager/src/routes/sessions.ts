import {
  CREATE_SESSION,
  RUN_EVENT,
  SESSION_CONTROL,
  SESSION_LIST_STATES,
  SESSION_READ,
  SESSION_READ_CURSOR,
  SESSION_SEND,
  SESSION_SUMMARY,
} from '@agentrun/lib/contract';
import type { FastifyRequest } from 'fastify';
import type { ManagerServer } from '../http/server.ts';
import { query } from '../http/type-provider.ts';
import { controlSession } from '../services/control-session.ts';
import { createSession } from '../services/create-session.ts';
import { keyOf } from '../services/idempotent.ts';
import { send } from '../services/send.ts';
import { pageOfSessions, readSession } from '../services/sessions.ts';
import { showSession } from '../services/show-session.ts';
import { sessionSent } from '../telemetry/spans-of-answers.ts';
import { pageOf } from './answers.ts';
import { COMMAND_BODY_LIMIT } from './commands.ts';
import {
  AFTER_SEQ,
  CURSOR,
  KEY_HEADERS,
  keyHeader,
  keyScope,
  LABEL,
  limit,
  QUERY_ID,
  SESSION_PARAMS,
} from './parameters.ts';
import type { Serving } from './serving.ts';
import { CONTROLLED, SENT, SESSION_MADE, SESSION_SHOWN } from './session-answers.ts';
import { serveSessionEvents } from './session-events.ts';
import { sendInTrace } from './trace-sink.ts';

/** Who reads when nobody says so. */
const READER = 'cli';

export function sessionRoutes(app: ManagerServer, serving: Serving): void {
  app.get(
    '/api/v1/sessions',
    {
      schema: {
        querystring: query({
          state: { type: 'string', enum: SESSION_LIST_STATES, default: 'default' },
          backendProfile: LABEL,
          profile: { ...LABEL, description: 'the same, where backendProfile is absent' },
          readerId: LABEL,
          cursor: CURSOR,
          limit: limit(200, 50),
        }),
        response: { 200: pageOf(SESSION_SUMMARY) },
      },
    },
    async ({ query: { profile, backendProfile = profile, ...rest } }) =>
      await pageOfSessions(serving, { ...rest, backendProfile }),
  );

  app.post(
    '/api/v1/sessions',
    { schema: { body: CREATE_SESSION, headers: KEY_HEADERS, response: { 200: SESSION_MADE } } },
    async ({ body, headers }) =>
      await createSession(
        serving,
        body,
        keyOf(keyScope('POST /sessions', body), body, keyHeader(headers), body.idempotencyKey),
      ),
  );

  app.get(
    '/api/v1/sessions/:sessionId',
    { schema: { params: SESSION_PARAMS, querystring: query({ readerId: LABEL }), response: { 200: SESSION_SHOWN } } },
    async (request) => await showSession(serving, request.params.sessionId, request.query.readerId),
  );

  for (const selection of ['trace', 'output'] as const) {
    app.get(
      `/api/v1/sessions/:sessionId/${selection}`,
      {
        schema: {
          description:
            'A page of one run, or with cursor of the whole session; with "Accept: text/event-stream" a stream over all runs.',
          params: SESSION_PARAMS,
          querystring: query({
            afterSeq: AFTER_SEQ,
            limit: limit(500, 100),
            runId: QUERY_ID,
            cursor: { ...CURSOR, description: 'a place: <runId>.<number>' },
            until: { type: 'string', enum: ['idle'], description: 'of a stream: end when no turn runs or waits' },
          }),
          response: {
            200: {
              type: 'object',
              additionalProperties: false,
              required: ['sessionId', 'runId', 'items', 'count', 'cursor'],
              properties: {
                sessionId: { type: 'string' },
                runId: { type: ['string', 'null'] },
                items: { type: 'array', items: RUN_EVENT },
                count: { type: 'integer' },
                cursor: { type: ['string', 'null'] },
              },
            },
          },
        },
      },
      async (request, reply) => await serveSessionEvents(serving, request, reply, selection),
    );
  }

  app.post(
    '/api/v1/sessions/:sessionId/send',
    {
      config: { spans: sessionSent },
      bodyLimit: COMMAND_BODY_LIMIT,
      schema: { params: SESSION_PARAMS, body: SESSION_SEND, headers: KEY_HEADERS, response: { 200: SENT } },
    },
    async (request) => {
      const { params, body, headers } = request;
      const { sessionId } = params;
      const member = body.commandIdempotencyKey ?? body.idempotencyKey;
      const key = keyOf(`POST /sessions/${sessionId}/send`, body, keyHeader(headers), member);
      return await send(serving, sessionId, sendInTrace(request as FastifyRequest, body), key);
    },
  );

  app.post(
    '/api/v1/sessions/:sessionId/read',
    { schema: { params: SESSION_PARAMS, body: SESSION_READ, response: { 200: SESSION_READ_CURSOR } } },
    async ({ params, body }) => await readSession(serving, params.sessionId, body?.readerId ?? READER),
  );

  app.post(
    '/api/v1/sessions/:sessionId/control',
    { schema: { params: SESSION_PARAMS, body: SESSION_CONTROL, response: { 200: CONTROLLED } } },
    async ({ params, body }) =>
      await controlSession(serving, params.sessionId, { ...body, readerId: body.readerId ?? READER }),
  );
}

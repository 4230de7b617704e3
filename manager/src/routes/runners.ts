import {
  CREATE_RUNNER_JOB,
  LEASE_REQUEST,
  LEASED_RUN,
  REGISTER_RUNNER,
  RELEASE,
  RUN,
  RUNNER,
  RUNNER_JOB,
} from '@agentrun/lib/contract';
import { attemptOfRequest, claimant, holder } from '../http/caller.ts';
import type { ManagerServer } from '../http/server.ts';
import { query } from '../http/type-provider.ts';
import { claimRun } from '../services/claim.ts';
import { heartbeat } from '../services/heartbeat.ts';
import { keyOf } from '../services/idempotent.ts';
import { registerRunner } from '../services/register-runner.ts';
import { releaseRun } from '../services/release.ts';
import { createRunnerJob, runnerJobOf, runnerJobsOf } from '../services/runner-jobs.ts';
import { pageOfRunners } from '../services/runners.ts';
import { runnerJobCreated, runReported } from '../telemetry/spans-of-answers.ts';
import { listOf, pageOf } from './answers.ts';
import { CURSOR, KEY_HEADERS, keyHeader, limit, QUERY_ID, RUN_PARAMS, RUNNER_JOB_PARAMS } from './parameters.ts';
import type { Serving } from './serving.ts';

export function runnerRoutes(app: ManagerServer, serving: Serving): void {
  app.post(
    '/api/v1/runners/register',
    { config: { auth: 'any' }, schema: { body: REGISTER_RUNNER, response: { 200: RUNNER } } },
    async (request) => {
      const attempt = attemptOfRequest(request);
      const registrar =
        attempt === undefined
          ? ({ operator: true } as const)
          : ({ operator: false, attemptId: attempt.id, runId: attempt.runId } as const);
      return await registerRunner(serving, registrar, request.body);
    },
  );

  app.get(
    '/api/v1/runners',
    {
      schema: {
        querystring: query({ runId: QUERY_ID, cursor: CURSOR, limit: limit(200, 50) }),
        response: { 200: pageOf(RUNNER) },
      },
    },
    async (request) => await pageOfRunners(serving, request.query),
  );

  app.post(
    '/api/v1/runs/:runId/claim',
    { config: { auth: 'runner' }, schema: { params: RUN_PARAMS, body: LEASE_REQUEST, response: { 200: LEASED_RUN } } },
    async (request) => await claimRun(serving, claimant(request), request.body.runnerId),
  );

  app.patch(
    '/api/v1/runs/:runId/lease',
    { config: { auth: 'runner' }, schema: { params: RUN_PARAMS, body: LEASE_REQUEST, response: { 200: LEASED_RUN } } },
    async (request) => await heartbeat(serving, holder(request), request.body.runnerId),
  );

  app.post(
    '/api/v1/runs/:runId/release',
    {
      config: { auth: 'runner', spans: runReported },
      schema: { params: RUN_PARAMS, body: RELEASE, response: { 200: RUN } },
    },
    async (request) => await releaseRun(serving, holder(request), request.body.reason),
  );

  app.post(
    '/api/v1/runs/:runId/runner-jobs',
    {
      config: { spans: runnerJobCreated },
      schema: { params: RUN_PARAMS, body: CREATE_RUNNER_JOB, headers: KEY_HEADERS, response: { 200: RUNNER_JOB } },
    },
    async ({ params: { runId }, body, headers }) => {
      const key = keyOf(`POST /runs/${runId}/runner-jobs`, body, keyHeader(headers), body.idempotencyKey);
      return await createRunnerJob(serving, runId, body.commandId, key);
    },
  );

  app.get(
    '/api/v1/runs/:runId/runner-jobs',
    {
      schema: {
        params: RUN_PARAMS,
        querystring: query({ commandId: QUERY_ID }),
        response: { 200: listOf(RUNNER_JOB) },
      },
    },
    async (request) => await runnerJobsOf(serving, request.params.runId, request.query.commandId),
  );

  app.get(
    '/api/v1/runs/:runId/runner-jobs/:runnerJobId',
    { schema: { params: RUNNER_JOB_PARAMS, response: { 200: RUNNER_JOB } } },
    async ({ params: { runId, runnerJobId } }) => await runnerJobOf(serving, runId, runnerJobId),
  );
}

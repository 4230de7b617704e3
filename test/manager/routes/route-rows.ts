import type { TestManager } from '../../helpers/manager.ts';
import type { Answer } from '../../helpers/manager-client.ts';
import { externalRunner, RUN_INPUT } from '../../helpers/manager-client.ts';
import { newSessionId, ofSession, text, underWay } from '../services/scenes.ts';

/** A row of the contract's table of routes, or `added`, with a good request to it. */
export interface Row {
  readonly row: number | 'added';
  readonly route: string;
  readonly good: (manager: TestManager) => Promise<Answer<unknown>>;
}

const row = (number: Row['row'], route: string, good: Row['good']): Row => ({ row: number, route, good });

/** A session whose turn has ended, with output, and whose run is still open. */
async function spoken(manager: TestManager) {
  const sessionId = newSessionId();
  const scene = await underWay(manager, ofSession(sessionId));
  await scene.runner.append([text(scene.turn.id, 'done')], 1);
  await scene.runner.report(scene.turn.id, 'completed', { threadId: 'thread-1' });
  return { sessionId, ...scene };
}

async function made(manager: TestManager): Promise<string> {
  const sessionId = newSessionId();
  await manager.ask('POST', 'sessions', { sessionId, tenantId: 'tenant', projectId: 'project' });
  return sessionId;
}

async function withJob(manager: TestManager) {
  const { id: runId } = await manager.createRun();
  const { id: commandId } = await manager.turn(runId);
  const job = await manager.request<{ id: string }>('POST', `runs/${runId}/runner-jobs`, { commandId });
  return { runId, commandId, job };
}

export const ROWS: readonly Row[] = [
  row(1, 'GET /health', (m) => m.request('GET', '/health')),
  row(2, 'GET /health/live', (m) => m.request('GET', '/health/live')),
  row(3, 'GET /health/readiness', (m) => m.request('GET', '/health/readiness')),
  row(22, 'GET /api/v1/sessions', async (m) => {
    await spoken(m);
    return await m.request('GET', 'sessions?limit=2&state=all&readerId=me&profile=codex');
  }),
  row(23, 'GET /api/v1/sessions/{sessionId}', async (m) => {
    const { sessionId } = await spoken(m);
    return await m.request('GET', `sessions/${sessionId}?readerId=me`);
  }),
  row(24, 'GET /api/v1/sessions/{sessionId}/trace', async (m) => {
    const { sessionId, runId } = await spoken(m);
    return await m.request('GET', `sessions/${sessionId}/trace?runId=${runId}&afterSeq=1&limit=3`);
  }),
  row(25, 'GET /api/v1/sessions/{sessionId}/output', async (m) => {
    const { sessionId } = await spoken(m);
    return await m.request('GET', `sessions/${sessionId}/output`);
  }),
  row(26, 'POST /api/v1/sessions/{sessionId}/send', async (m) =>
    m.request('POST', `sessions/${await made(m)}/send`, { prompt: 'hello' }),
  ),
  row(27, 'POST /api/v1/sessions/{sessionId}/read', async (m) => m.request('POST', `sessions/${await made(m)}/read`)),
  row(28, 'POST /api/v1/sessions/{sessionId}/control', async (m) =>
    m.request('POST', `sessions/${(await spoken(m)).sessionId}/control`, { action: 'cancel', reason: 'enough' }),
  ),
  row(29, 'GET /api/v1/sessions/{sessionId}/storage', async (m) =>
    m.request('GET', `sessions/${await made(m)}/storage`),
  ),
  row(30, 'DELETE /api/v1/sessions/{sessionId}/storage', async (m) =>
    m.request('DELETE', `sessions/${await made(m)}/storage`),
  ),
  row(31, 'POST /api/v1/sessions/{sessionId}/storage/refresh', async (m) => {
    const sessionId = await made(m);
    return await m.request('POST', `sessions/${sessionId}/storage/refresh`, {
      pvcName: `${sessionId}-g1`,
      namespace: 'agentrun-v01',
      storageSizeBytes: 3,
    });
  }),
  row(32, 'POST /api/v1/sessions/storage/gc', (m) => m.request('POST', 'sessions/storage/gc')),
  row(33, 'POST /api/v1/sessions', (m) =>
    m.request('POST', 'sessions', { tenantId: 'tenant', projectId: 'project', metadata: { any: 1 } }),
  ),
  row(43, 'POST /api/v1/runs', (m) => m.request('POST', 'runs', RUN_INPUT)),
  row(44, 'GET /api/v1/runs/{runId}', async (m) => m.request('GET', `runs/${(await m.createRun()).id}`)),
  row(45, 'GET /api/v1/runs/{runId}/events', async (m) =>
    m.request('GET', `runs/${(await spoken(m)).runId}/events?afterSeq=1&limit=4`),
  ),
  row(46, 'GET /api/v1/runs/{runId}/result', async (m) => m.request('GET', `runs/${(await spoken(m)).runId}/result`)),
  row(47, 'POST /api/v1/runs/{runId}/cancel', async (m) =>
    m.request('POST', `runs/${(await m.createRun()).id}/cancel`),
  ),
  row(48, 'POST /api/v1/runs/{runId}/commands', async (m) =>
    m.request('POST', `runs/${(await m.createRun()).id}/commands`, { type: 'turn', payload: { prompt: 'hello' } }),
  ),
  row(49, 'GET /api/v1/runs/{runId}/commands', async (m) =>
    m.request('GET', `runs/${(await spoken(m)).runId}/commands`),
  ),
  row(50, 'POST /api/v1/runs/{runId}/runner-jobs', async (m) => (await withJob(m)).job),
  row(51, 'GET /api/v1/runs/{runId}/runner-jobs', async (m) => {
    const { runId, commandId } = await withJob(m);
    return await m.request('GET', `runs/${runId}/runner-jobs?commandId=${commandId}`);
  }),
  row(52, 'GET /api/v1/runs/{runId}/runner-jobs/{runnerJobId}', async (m) => {
    const { runId, job } = await withJob(m);
    return await m.request('GET', `runs/${runId}/runner-jobs/${job.data.id}`);
  }),
  row(53, 'GET /api/v1/runs/{runId}/commands/{commandId}', async (m) => {
    const { runId, turn } = await spoken(m);
    return await m.request('GET', `runs/${runId}/commands/${turn.id}`);
  }),
  row(54, 'GET /api/v1/runs/{runId}/commands/{commandId}/result', async (m) => {
    const { runId, turn } = await spoken(m);
    return await m.request('GET', `runs/${runId}/commands/${turn.id}/result`);
  }),
  row(55, 'POST /api/v1/runners/register', async (m) =>
    m.request('POST', 'runners/register', { runId: (await m.createRun()).id, metadata: { host: 'h' } }),
  ),
  row(56, 'POST /api/v1/runs/{runId}/claim', async (m) => (await externalRunner(m, (await m.createRun()).id)).claim()),
  row(57, 'PATCH /api/v1/runs/{runId}/lease', async (m) => (await underWay(m)).runner.beat()),
  row(58, 'POST /api/v1/runs/{runId}/events', async (m) => {
    const { runner, turn } = await underWay(m);
    return await runner.append([text(turn.id, 'hello')], 1);
  }),
  row(59, 'PATCH /api/v1/runs/{runId}/status', async (m) => (await underWay(m)).runner.finish('failed')),
  row(60, 'POST /api/v1/commands/{commandId}/ack', async (m) => {
    const { runner, turn } = await underWay(m);
    return await runner.ack(turn.id);
  }),
  row(61, 'PATCH /api/v1/commands/{commandId}/status', async (m) => {
    const { runner, turn } = await underWay(m);
    return await runner.report(turn.id);
  }),
  row(62, 'POST /api/v1/commands/{commandId}/cancel', async (m) =>
    m.request('POST', `commands/${(await underWay(m)).turn.id}/cancel`, { reason: 'enough' }),
  ),
  row('added', 'GET /api/v1/runs', (m) => m.request('GET', 'runs?limit=3&status=open')),
  row('added', 'GET /api/v1/runners', (m) => m.request('GET', 'runners?limit=3')),
  row('added', 'GET /api/v1/runs/{runId}/commands/next', async (m) => (await underWay(m)).runner.next()),
  row('added', 'POST /api/v1/runs/{runId}/release', async (m) => (await underWay(m)).runner.release('drain')),
  row('added', 'GET /api/v1/doctor', (m) => m.request('GET', 'doctor')),
];

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SCENARIOS, type Scenario } from './model-server-scenarios.ts';
import { AnswerWriter, type ModelRequest, type ModelStep, readRequest } from './model-server-wire.ts';

/** A request as it ended: `client-closed` proves that an interrupt cut the call of the model. */
interface ServedRequest extends ModelRequest {
  readonly scenario: string;
  readonly attempt: number;
  readonly key: 'right' | 'wrong' | 'none';
  status: number;
  end: 'open' | 'complete' | 'client-closed' | 'dropped';
}

export interface ModelServer {
  /** The base URL to put in a profile. */
  readonly url: string;
  /** Every request to the model, from its beginning. */
  readonly requests: readonly ServedRequest[];
  close(): Promise<void>;
}

const USAGE = { input: 100, cached: 0, output: 10, reasoning: 0 };
const MARK = /\[\[([\w-]+)\]\]/;

/**
 * A stand-in for a model provider: scripted, deterministic, on 127.0.0.1. The latest text of the user chooses the
 * scenario. Equal requests are counted, so that a refusal can be over after some.
 */
export async function startModelServer({
  key = 'the-right-key',
}: {
  readonly key?: string;
} = {}): Promise<ModelServer> {
  const requests: ServedRequest[] = [];
  const attempts = new Map<string, number>();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method !== 'POST' || request.url !== '/v1/responses')
      return refuse(response, 404, { message: 'no route' });
    const view = readRequest(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>);
    const name = MARK.exec(view.lastUser)?.[1] ?? 'echo';
    const scenario: Scenario = SCENARIOS[name as keyof typeof SCENARIOS] ?? SCENARIOS.echo;
    const same = JSON.stringify([name, view.lastUser, view.toolResults]);
    const attempt = (attempts.get(same) ?? 0) + 1;
    attempts.set(same, attempt);
    const given = request.headers.authorization?.replace(/^Bearer /i, '');
    const known = given === undefined ? 'none' : given === key ? 'right' : 'wrong';
    const served: ServedRequest = { ...view, scenario: name, attempt, key: known, status: 200, end: 'open' };
    requests.push(served);
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort();
      served.status = response.statusCode;
      if (served.end === 'open') served.end = response.writableFinished ? 'complete' : 'client-closed';
    });
    if (known !== 'right') {
      return refuse(response, 401, {
        type: 'invalid_request_error',
        code: 'invalid_api_key',
        message: 'incorrect API key',
      });
    }
    const { error } = scenario;
    if (error !== undefined && attempt <= (error.times ?? Number.POSITIVE_INFINITY)) {
      return refuse(response, error.status, error, error.retryAfterS);
    }
    await answer(response, served, scenario, gone.signal);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  response: ServerResponse,
  served: ServedRequest,
  { replies = [], usage = USAGE }: Scenario,
  gone: AbortSignal,
): Promise<void> {
  const writer = new AnswerWriter(served.model);
  const steps = replies[Math.min(served.toolResults, replies.length - 1)] ?? [];
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(writer.start());
  for (const step of steps) {
    if (gone.aborted) return;
    if ('drop' in step) {
      if (served.attempt > (step.times ?? Number.POSITIVE_INFINITY)) continue;
      served.end = 'dropped';
      // What was written reaches the agent first.
      await sleep(50, gone);
      response.destroy();
      return;
    }
    if ('failed' in step) return void response.end(writer.failed(step.failed));
    for await (const event of eventsOf(step, served, writer, gone)) {
      if (gone.aborted) return;
      response.write(event);
    }
  }
  if (!gone.aborted) response.end(writer.end(usage));
}

async function* eventsOf(
  step: Exclude<ModelStep, { drop: true } | { failed: object }>,
  served: ServedRequest,
  writer: AnswerWriter,
  gone: AbortSignal,
): AsyncGenerator<string> {
  if ('wait' in step) await sleep(step.wait, gone);
  if ('reasoning' in step) yield* writer.reasoning(step.reasoning);
  if ('shell' in step || 'write' in step) yield writer.call(step);
  if (!('text' in step)) return;
  const text = step.text.replaceAll('{{prompt}}', served.lastUser.replace(MARK, '').trim());
  for (const event of writer.text(text.match(/\S+\s*/g) ?? [text])) {
    yield event;
    if (step.delayMs !== undefined) await sleep(step.delayMs, gone);
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}

function refuse(response: ServerResponse, status: number, error: object, retryAfterS?: number): void {
  const headers = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ error }));
}

import { Ajv2020 } from 'ajv/dist/2020.js';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMATS } from '../../../manager/src/http/formats.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { newSessionId, ofSession, text, underWay } from '../services/scenes.ts';
import { ROWS } from './route-rows.ts';

interface Document {
  readonly paths: Record<
    string,
    Record<string, { responses: Record<string, { content: Record<string, { schema: object }> }> }>
  >;
}

/** What other tests have tables for. */
const ELSEWHERE =
  /\/(?:queue|backends|provider-profiles|tool-credentials|aipod-specs)(?:\/|$)|\/sessions\/\{sessionId\}\/(?:changes|files)$/;
/** Answered as they are, without an envelope. */
const RAW = ['GET /metrics', 'GET /openapi.json'];

let manager: TestManager;
let document: Document;
const ajv = new Ajv2020({ strict: false, allErrors: true, formats: FORMATS });

beforeAll(async () => {
  manager = await testManager();
  document = (await (await fetch(`${manager.url}/openapi.json`)).json()) as Document;
});
afterAll(() => manager.stop());

function schemaOf(route: string): object {
  const [method = '', path = ''] = route.split(' ');
  const schema = document.paths[path]?.[method.toLowerCase()]?.responses['200']?.content['application/json']?.schema;
  if (schema === undefined) throw new Error(`the document has no answer of ${route}`);
  return schema;
}

describe('the table of routes', () => {
  it.each(ROWS)('answers $row: $route as its schema says', async ({ route, good }) => {
    const { status, headers, ...body } = await good(manager);
    expect({ status, ...body }).toMatchObject({ status: 200, ok: true });
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    const check = ajv.compile(schemaOf(route));
    expect(check(body) ? [] : check.errors).toEqual([]);
  });

  it('says of each answer what its members are, and lets no other stand in it', () => {
    for (const { route } of ROWS) {
      const { properties } = schemaOf(route) as { properties: { data: { oneOf?: object[] } } };
      for (const form of properties.data.oneOf ?? [properties.data]) {
        expect({ route, form }).toMatchObject({ form: { additionalProperties: false } });
      }
    }
  });

  it('has a row for each route of the OpenAPI document, and a route for each row', () => {
    const served = Object.entries(document.paths)
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
      .filter((route) => !ELSEWHERE.test(route));
    expect(served.sort()).toEqual([...ROWS.map(({ route }) => route), ...RAW].sort());
  });

  it('has every row of the contract that is in scope', () => {
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const rows = ROWS.map(({ row }) => row).filter((row) => row !== 'added');
    expect(rows).toEqual([...range(1, 3), ...range(22, 33), ...range(43, 62)]);
  });

  it('answers the metrics as text and the document to everybody', async () => {
    const metrics = await fetch(`${manager.url}/metrics`, { headers: { authorization: `Bearer ${manager.key}` } });
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(await metrics.text()).toContain('agentrun_http_request_duration_seconds');
    expect((await fetch(`${manager.url}/metrics`)).status).toBe(401);
    expect((await fetch(`${manager.url}/openapi.json`)).status).toBe(200);
  });

  it.each(['events', 'trace', 'output'])(
    'streams %s with a reader that asks for events, each as its schema says',
    async (what) => {
      const sessionId = newSessionId();
      const { runId, runner, turn } = await underWay(manager, ofSession(sessionId));
      await runner.append([text(turn.id, 'done')], 1);
      await runner.report(turn.id);
      await runner.release();
      const path = what === 'events' ? `runs/${runId}/events` : `sessions/${sessionId}/${what}?until=idle`;
      const response = await fetch(`${manager.url}/api/v1/${path}`, {
        headers: { authorization: `Bearer ${manager.key}`, accept: 'text/event-stream' },
      });
      const messages: EventSourceMessage[] = [];
      createParser({ onEvent: (message) => void messages.push(message) }).feed(await response.text());

      const told = messages.filter(({ event }) => event === undefined);
      const { properties } = schemaOf('GET /api/v1/runs/{runId}/events') as {
        properties: { data: { properties: { items: { items: object } } } };
      };
      const check = ajv.compile(properties.data.properties.items.items);
      for (const { data } of told) expect(check(JSON.parse(data)) ? [] : check.errors).toEqual([]);
      expect(told.length).toBeGreaterThan(2);
      expect(messages.map(({ event }) => event)).toContain('end');
      const stored = await manager.events(runId);
      const isSaid = what === 'output' ? stored.filter(({ type }) => type !== 'backend_status') : stored;
      expect(told.map(({ id }) => id)).toEqual(
        isSaid.map(({ seq }) => (what === 'events' ? String(seq) : `${runId}.${seq}`)),
      );
    },
  );
});

import { redactor } from '@agentrun/lib/contract';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { Metrics } from '../../../manager/src/telemetry/metrics.ts';
import { openSpans, type SpanBounds, type Spans } from '../../../manager/src/telemetry/spans.ts';
import { freePort } from '../../helpers/free-port.ts';
import { type KernelServer, kernelServer } from '../../helpers/kernel-server.ts';
import { type Collector, collector } from './spans-collector.ts';

const SECRET = 'a-secret-that-the-collector-echoes';
const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

interface Scene {
  readonly server: KernelServer;
  readonly spans: Spans;
  /** Warnings of the log. */
  readonly warnings: Record<string, unknown>[];
  readonly count: (name: string, reason?: string) => Promise<number>;
  /** Asks so many times, and says how often it was answered. */
  readonly ask: (times: number) => Promise<number>;
}

/** A server whose spans go to an endpoint, with small bounds. */
async function scene(endpoint: string, bounds: Partial<SpanBounds> = {}): Promise<Scene> {
  const warnings: Record<string, unknown>[] = [];
  const metrics = new Metrics();
  const write = (line: string) => {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (Number(entry['level']) >= 40) warnings.push(entry);
  };
  const spans = await openSpans({
    endpoint,
    version: '0.0.0',
    lane: 'v0.1',
    redact: redactor([SECRET]),
    log: pino({ level: 'debug' }, { write }),
    metrics,
    traceOfRun: () => Promise.resolve(null),
    bounds: { most: 50, batch: 10, delayMs: 10, exportMs: 200, closeMs: 300, ...bounds },
  });
  const server = await kernelServer((app) => void app.get('/runs/:runId', async () => 'run'), { spans, metrics });
  opened.push(async () => {
    await server.close();
    await spans.close();
  });
  return {
    server,
    spans,
    warnings,
    count: async (name, reason) => {
      const labels = reason === undefined ? '' : `{reason="${reason}"}`;
      const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`${name}${labels} `));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
    ask: async (times) => {
      let answered = 0;
      for (let n = 0; n < times; n += 1) {
        if ((await server.call('GET', '/runs/run_1')).status === 200) answered += 1;
      }
      return answered;
    },
  };
}

async function badCollector(...given: Parameters<typeof collector>): Promise<Collector> {
  const made = await collector(...given);
  opened.push(() => made.close());
  return made;
}

describe('a collector', () => {
  it('that answers 500 loses the spans, counted, with one warning', async () => {
    const bad = await badCollector((response) => response.writeHead(500, SECRET).end(SECRET));
    const { ask, count, warnings } = await scene(bad.url, { most: 200 });
    expect(await ask(120)).toBe(120);
    await expect.poll(() => count('agentrun_spans_waiting'), { timeout: 10_000 }).toBe(0);
    expect(await count('agentrun_spans_dropped_total', 'not-exported')).toBe(120);
    expect(await count('agentrun_spans_exported_total')).toBe(0);
    expect(bad.bodies.length).toBeGreaterThan(1);
    expect(warnings).toMatchObject([
      { msg: 'spans are lost', reason: 'not-exported', collector: new URL(bad.url).host },
    ]);
    expect(JSON.stringify(warnings)).not.toContain(SECRET);
  });

  it('that is not there loses them too, and requests do not notice', async () => {
    const { ask, count, warnings } = await scene(`http://127.0.0.1:${await freePort()}`);
    expect(await ask(30)).toBe(30);
    await expect.poll(() => count('agentrun_spans_dropped_total', 'not-exported'), { timeout: 10_000 }).toBe(30);
    expect(warnings).toMatchObject([
      { msg: 'spans are lost', error: expect.stringContaining('ECONNREFUSED') as string },
    ]);
  });

  it.each<[string, Parameters<typeof collector>[0]]>([
    ['never answers', () => undefined],
    [
      'never ends its answer',
      (response) => {
        response.writeHead(200);
        const babble = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(babble));
      },
    ],
  ])('that %s holds no more spans than the bound says', async (_what, answer) => {
    const bad = await badCollector(answer);
    const { ask, count, warnings } = await scene(bad.url, { exportMs: 500 });
    expect(await ask(200)).toBe(200);
    expect(await count('agentrun_spans_waiting')).toBeLessThanOrEqual(50);
    expect(await count('agentrun_spans_dropped_total', 'queue-full')).toBeGreaterThan(0);
    // Each batch is given up in its time, until nothing is left.
    await expect.poll(() => count('agentrun_spans_waiting'), { timeout: 20_000 }).toBe(0);
    const full = await count('agentrun_spans_dropped_total', 'queue-full');
    const failed = await count('agentrun_spans_dropped_total', 'not-exported');
    // An answer that had begun well when it was cut counts as one.
    expect(full + failed + (await count('agentrun_spans_exported_total'))).toBe(200);
    expect(failed).toBeGreaterThan(0);
    expect(warnings).toHaveLength(1);
  });

  it('is warned of again after a time, with what was lost since', async () => {
    const bad = await badCollector((response) => response.writeHead(500).end());
    const { ask, count, warnings } = await scene(bad.url, { warnMs: 50 });
    await ask(5);
    await expect.poll(() => warnings.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await ask(5);
    await expect.poll(() => count('agentrun_spans_waiting')).toBe(0);
    expect(warnings.length).toBeGreaterThan(1);
  });

  it('that comes back gets what comes then', async () => {
    let isDown = true;
    const flaky = await badCollector((response) => response.writeHead(isDown ? 500 : 200).end('{}'));
    const { ask, count } = await scene(flaky.url);
    await ask(10);
    await expect.poll(() => count('agentrun_spans_dropped_total', 'not-exported')).toBe(10);
    isDown = false;
    await ask(10);
    await expect.poll(() => count('agentrun_spans_exported_total')).toBe(10);
  });

  it('that does not answer does not hold up the end; what it did not take is counted', async () => {
    const bad = await badCollector(() => undefined);
    const { ask, count, spans } = await scene(bad.url, { exportMs: 60_000, closeMs: 200 });
    await ask(20);
    await spans.close();
    expect(await count('agentrun_spans_dropped_total', 'stopped')).toBe(20);
    expect(await count('agentrun_spans_waiting')).toBe(0);
    expect(await ask(3)).toBe(3);
    expect(await count('agentrun_spans_waiting')).toBe(0);
  });

  it.each(['collector', 'collector:4318', 'grpc://collector:4317'])(
    'is a URL of http, and not %s',
    async (endpoint) => {
      await expect(scene(endpoint)).rejects.toThrow(TypeError);
    },
  );
});

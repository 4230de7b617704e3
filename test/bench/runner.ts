import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ManagerClient, managerClient, RUN_INPUT } from '../helpers/manager-client.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';
import { percentile } from './lean-http.ts';
import { openBench } from './manager-setup.ts';
import type { Row, Skipped } from './row.ts';
import { median } from './timed.ts';

const AGENT = join(REPOSITORY, 'test', 'fixtures', 'agents', 'timed-agent.mjs');
const PROFILE = 'timed';
const SENDS = 12;
const LAGS = 500;
const LAG_EVERY_MS = 20;
const MANY = 100_000;
/** In so many turns of one run: what is kept of one turn is bounded. */
const TURNS = 4;
const LONGEST_MS = 600_000;

interface Sent {
  readonly run: { readonly id: string };
  readonly command: { readonly id: string };
}

/**
 * A compiled manager, and the compiled runners that it starts. The agent tells the time by itself, on the clock of this
 * machine, so that nothing but the way to it and from it is measured.
 */
export async function benchRunner(): Promise<(Row | Skipped)[]> {
  const bench = await openBench();
  try {
    const client = managerClient(bench.manager.url, bench.manager.key);
    const config = { backend: 'command', command: ['{node}', AGENT] };
    await client.ask('PUT', `provider-profiles/${PROFILE}/config`, config);
    return [...(await benchSends(client)), ...(await benchLag(client)), ...(await benchMemory(client))];
  } finally {
    await bench.end();
  }
}

/** From the request of a text to the first byte of the agent, less what its own process takes to it. */
async function benchSends(client: ManagerClient): Promise<Row[]> {
  const own: number[] = [];
  const times = { cold: [] as number[], warm: [] as number[] };
  for (let round = 0; round < SENDS; round += 1) {
    for (const kind of ['cold', 'warm'] as const) {
      const begun = now();
      const { run, command } = await send(client, `sess_bench_${round}`, 'hello');
      await commandEnd(client, run.id, command.id);
      const events = await client.events(run.id);
      const texts = events.flatMap(({ payload }) => (payload?.['commandId'] === command.id ? [payload['text']] : []));
      const [, first, start] = /first:([\d.]+)\+([\d.]+);/.exec(texts.join('')) ?? [];
      own.push(Number(start));
      times[kind].push(Number(first) - Number(start) - begun);
    }
    await client.ask('POST', `runs/${(await send(client, `sess_bench_${round}`, 'bye')).run.id}/cancel`);
  }
  const note = `median of ${SENDS}; the agent takes ${median(own).toFixed(0)} ms more from its start to its first byte`;
  return [
    {
      what: 'send to first byte of the agent, over its own start-up, runner started',
      value: median(times.cold),
      unit: 'ms',
      note,
    },
    { what: 'the same, runner there', value: median(times.warm), unit: 'ms' },
  ];
}

/** From the agent, through the runner and the manager, to a reader of the stream. */
async function benchLag(client: ManagerClient): Promise<Row[]> {
  const times: number[] = [];
  const { run, command } = await send(client, 'sess_bench_lag', `[[lag ${LAGS} ${LAG_EVERY_MS}]]`);
  const leave = new AbortController();
  const response = await fetch(`${client.url}/api/v1/runs/${run.id}/events`, {
    headers: { authorization: `Bearer ${client.key}`, accept: 'text/event-stream' },
    signal: leave.signal,
  });
  const reading = (async () => {
    let rest = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const at = now();
      const text = rest + chunk;
      const whole = text.lastIndexOf('\n\n') + 1;
      rest = text.slice(whole);
      // The whole text comes once more when it is complete.
      for (const event of text
        .slice(0, whole)
        .split('\n\n')
        .filter((each) => each.includes('assistant_delta')))
        for (const [, sent] of event.matchAll(/at:([\d.]+);/g)) times.push(at - Number(sent));
    }
  })().catch(() => undefined);
  await commandEnd(client, run.id, command.id);
  await delay(500);
  leave.abort();
  await reading;
  await client.ask('POST', `runs/${run.id}/cancel`).catch(() => undefined);
  const note = `${times.length} deltas, one in ${LAG_EVERY_MS} ms; a runner merges those of 250 ms`;
  return [
    { what: 'event from the agent to a reader, p50', value: percentile(times, 0.5), unit: 'ms', note },
    { what: 'event from the agent to a reader, p99', value: percentile(times, 0.99), unit: 'ms' },
  ];
}

async function benchMemory(client: ManagerClient): Promise<(Row | Skipped)[]> {
  if (process.platform !== 'linux') return [{ skipped: 'memory of the runner: it is read from /proc' }];
  const begun = performance.now();
  const prompt = `[[many ${MANY / TURNS}]]`;
  const { run, command } = await send(client, 'sess_bench_many', prompt);
  const commands = [command.id];
  while (commands.length < TURNS) commands.push((await client.turn(run.id, prompt)).id);
  let peak = 0;
  let pid = 0;
  const watch = setInterval(() => {
    const status = pid === 0 ? '' : readStatus(pid);
    peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
  }, 100);
  try {
    while (pid === 0) {
      const { items } = await client.ask<{ items: { metadata: { pid?: number } }[] }>('GET', `runners?runId=${run.id}`);
      pid = items[0]?.metadata.pid ?? 0;
      await delay(20);
    }
    for (const id of commands) await commandEnd(client, run.id, id);
  } finally {
    clearInterval(watch);
  }
  const seconds = (performance.now() - begun) / 1000;
  const { lastSeq } = await client.ask<{ lastSeq: number }>('GET', `runs/${run.id}`);
  await client.ask('POST', `runs/${run.id}/cancel`).catch(() => undefined);
  const note = `the most that it held, in ${TURNS} turns; ${lastSeq} events stored in ${seconds.toFixed(1)} s`;
  return [{ what: `runner over ${MANY} events`, value: peak, unit: 'MB', target: 150, note }];
}

const now = (): number => performance.timeOrigin + performance.now();

function send(client: ManagerClient, sessionId: string, prompt: string): Promise<Sent> {
  const run = { ...RUN_INPUT, backendProfile: PROFILE, workspaceRef: { kind: 'session' } };
  return client.ask<Sent>('POST', `sessions/${sessionId}/send`, { prompt, run });
}

async function commandEnd(client: ManagerClient, runId: string, id: string): Promise<void> {
  for (const until = performance.now() + LONGEST_MS; performance.now() < until; await delay(20)) {
    const { terminalStatus, failureMessage } = await client.command(runId, id);
    if (terminalStatus === 'completed') return;
    if (terminalStatus !== null) throw new Error(`turn ${id} ended ${terminalStatus}: ${failureMessage}`);
  }
  throw new Error(`turn ${id} did not end within ${LONGEST_MS} ms`);
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

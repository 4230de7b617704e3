import { connect, type Socket } from 'node:net';
import { type LeanConnection, percentile } from './lean-http.ts';
import { type Bench, type HeldRun, heldRuns } from './manager-setup.ts';
import type { Row } from './row.ts';

const READERS = 100;
const EVENTS = 500;
const EVERY_MS = 10;

/** Events of one run to many readers: from the request of the append until a reader has the event. */
export async function benchFanOut(bench: Bench): Promise<Row[]> {
  const [run] = (await heldRuns(bench, 1)) as [HeldRun];
  const [connection] = bench.connect(1) as [LeanConnection];
  const sentAt: number[] = [];
  const times: number[] = [];
  let missing = READERS * EVENTS;
  let onAll = () => {};
  const all = new Promise<void>((resolve) => {
    onAll = resolve;
  });
  const readers = await Promise.all(
    Array.from({ length: READERS }, () =>
      reader(bench, run.runId, (number) => {
        missing -= 1;
        if (missing === 0) onAll();
        // The first ones are not counted.
        const at = sentAt[number];
        if (number >= 50 && at !== undefined) times.push(performance.now() - at);
      }),
    ),
  );
  const headers = run.headers;
  for (let number = 0; number < EVENTS; number += 1) {
    const body = JSON.stringify({ type: 'assistant_delta', payload: { text: 'a few words of a model', n: number } });
    sentAt[number] = performance.now();
    await connection.data({ method: 'POST', path: `/api/v1/runs/${run.runId}/events`, headers, body });
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await all;
  for (const socket of readers) socket.destroy();
  const note = `${EVENTS} appends, one in ${EVERY_MS} ms and more; from the append to each reader`;
  return [
    { what: `event to ${READERS} readers, p50`, value: percentile(times, 0.5), unit: 'ms', note },
    { what: `event to ${READERS} readers, p99`, value: percentile(times, 0.99), unit: 'ms' },
  ];
}

function reader(bench: Bench, runId: string, onEvent: (number: number) => void): Promise<Socket> {
  const { hostname, port, host } = new URL(bench.manager.url);
  const socket = connect(Number(port), hostname);
  socket.setEncoding('latin1');
  const head = `GET /api/v1/runs/${runId}/events HTTP/1.1\r\nHost: ${host}\r\n${bench.operator}Accept: text/event-stream\r\n\r\n`;
  socket.write(head);
  let rest = '';
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      const text = rest + String(chunk);
      const whole = text.lastIndexOf('\n\n') + 1;
      rest = text.slice(whole);
      for (const [, number] of text.slice(0, whole).matchAll(/"n": ?(\d+)/g)) onEvent(Number(number));
      resolve(socket);
    });
  });
}

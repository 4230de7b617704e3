import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { Client } from 'pg';
import { databaseUrl as urlOf } from '../helpers/database-url.ts';
import type { Bench } from './manager-setup.ts';

/** graphile-worker, as the reference for what is asked for and what begins. */
export interface Graphile {
  /** Milliseconds from asking for a job to its start, one after the other. */
  latencies(count: number): Promise<number[]>;
  /** Jobs per second, of jobs that were asked for beforehand. */
  throughput(count: number): Promise<number>;
  end(): Promise<void>;
}

/** With its defaults, in this process, and in a database of its own on the same server. */
export async function openGraphile(bench: Bench, concurrency: number): Promise<Graphile> {
  await bench.sql.query('CREATE DATABASE graphile');
  const connectionString = urlOf(bench.databaseUrl, 'graphile');
  const logger = new Logger(() => () => undefined);
  const utils = await makeWorkerUtils({ connectionString, logger });
  await utils.migrate();
  const work = (task: string, onStart: () => void) =>
    run({ connectionString, logger, concurrency, noHandleSignals: true, taskList: { [task]: async () => onStart() } });
  return {
    latencies: async (count) => {
      let onStart = () => {};
      const worker = await work('one', () => onStart());
      const times: number[] = [];
      // The first ones fill the caches.
      for (let number = -3; number < count; number += 1) {
        await new Promise((resolve) => setTimeout(resolve, 15));
        const started = new Promise<number>((resolve) => {
          onStart = () => resolve(performance.now());
        });
        const begun = performance.now();
        await utils.addJob('one', { prompt: 'say something about the weather' });
        const at = await started;
        if (number >= 0) times.push(at - begun);
      }
      await worker.stop();
      return times;
    },
    throughput: async (count) => {
      const client = new Client({ connectionString });
      await client.connect();
      await client.query(`SELECT graphile_worker.add_job('many', '{}'::json) FROM generate_series(1, $1)`, [count]);
      await client.end();
      let left = count;
      let onEnd = () => {};
      const all = new Promise<void>((resolve) => {
        onEnd = resolve;
      });
      const begun = performance.now();
      const worker = await work('many', () => {
        left -= 1;
        if (left === 0) onEnd();
      });
      await all;
      const seconds = (performance.now() - begun) / 1000;
      await worker.stop();
      return count / seconds;
    },
    end: () => Promise.resolve(utils.release()),
  };
}

import type { Op } from './run-model.ts';
import type { RealRun, RunSystem, Services } from './run-system.ts';

/**
 * Systems with a fault that queues of this kind are known to have. Each must be found out: a test that lets one of them
 * pass would let the fault pass in the manager too.
 */

interface Holder {
  readonly attempt_id: string | null;
  readonly lease_epoch: number;
}

async function holderOf({ pool }: Services, run: RealRun): Promise<Holder> {
  const { rows } = await pool.query<Holder>('SELECT attempt_id, lease_epoch FROM agentrun_runs WHERE id = $1', [
    run.runId,
  ]);
  return rows[0] ?? { attempt_id: null, lease_epoch: 0 };
}

/** Without an epoch: whoever writes is taken for the holder of now. */
export function withoutEpoch(services: Services, real: RunSystem): RunSystem {
  return {
    perform: async (run, op) => {
      if (!('by' in op)) return await real.perform(run, op);
      const now = await holderOf(services, run);
      const attempt = run.attempts.findIndex(({ id }) => id === now.attempt_id);
      const by = attempt < 0 ? op.by : { attempt, epoch: now.lease_epoch };
      return await real.perform(run, { ...op, by } as Op);
    },
  };
}

/** The number of an event is one more than the greatest, read without a lock. */
export function withoutCounter(services: Services, real: RunSystem): RunSystem {
  const { pool } = services;
  return {
    perform: async (run, op) => {
      if (op.kind !== 'append') return await real.perform(run, op);
      const now = await holderOf(services, run);
      const isHolder = run.attempts[op.by.attempt]?.id === now.attempt_id && op.by.epoch === now.lease_epoch;
      if (!isHolder || op.producerSeq !== null) return await real.perform(run, op);
      const { rows } = await pool.query<{ last: number; live: boolean }>(
        `SELECT coalesce(max(e.seq), 0) AS last, bool_or(r.lease_expires_at > clock_timestamp()) AS live
         FROM agentrun_runs r LEFT JOIN agentrun_events e ON e.run_id = r.id WHERE r.id = $1`,
        [run.runId],
      );
      const { last = 0, live = false } = rows[0] ?? {};
      if (!live) return await real.perform(run, op);
      await pool.query(
        `INSERT INTO agentrun_events (run_id, seq, type, payload, epoch)
         SELECT $1, $2 + n, 'assistant_delta', '{}', $4 FROM generate_series(1, $3) AS n`,
        [run.runId, last, op.count, op.by.epoch],
      );
      await pool.query('UPDATE agentrun_runs SET last_event_seq = $2, producer_seq = producer_seq + $3 WHERE id = $1', [
        run.runId,
        last + op.count,
        op.count,
      ]);
    },
  };
}

/** A takeover frees the run by its id: it looks at nothing again, and leaves the epoch as it is. */
export function rescueById(services: Services, real: RunSystem): RunSystem {
  const { pool } = services;
  return {
    perform: async (run, op) => {
      if (op.kind === 'takeOver') {
        const { rows } = await pool.query<{ id: string }>(
          `SELECT id FROM agentrun_runs WHERE id = $1 AND claimed_by IS NOT NULL AND terminal_status IS NULL
             AND cancel_requested_at IS NULL AND lease_expires_at <= clock_timestamp()`,
          [run.runId],
        );
        if (rows.length === 0) return await real.perform(run, op);
        const { lease_epoch: epoch } = await holderOf(services, run);
        await real.perform(run, op);
        await pool.query('UPDATE agentrun_runs SET lease_epoch = $2 WHERE id = $1', [run.runId, epoch]);
        return;
      }
      if (op.kind !== 'claim') return await real.perform(run, op);
      const { lease_epoch: epoch } = await holderOf(services, run);
      await real.perform(run, op);
      if (epoch === 0) return;
      await pool.query('UPDATE agentrun_runs SET lease_epoch = $2 WHERE id = $1', [run.runId, epoch]);
      run.granted.set(`${op.attempt}.${op.runner}`, epoch);
    },
  };
}

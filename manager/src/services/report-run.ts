import type { ReportStatus } from '@agentrun/lib/contract';
import { Failure } from '../failure.ts';
import { lockOpenCommands } from '../store/commands.ts';
import { type RunRecord, type RunRow, runRecord } from '../store/runs.ts';
import { closeRun, failed } from './ending.ts';
import { asHolder, type Caller } from './holder.ts';
import type { Manager } from './manager.ts';
import { outcomeOf } from './report-command.ts';
import { runRow } from './run-row.ts';

/**
 * Ends the run with what its runner says, and every open command with it. A run that is being cancelled ends cancelled,
 * whatever is said. May be sent again.
 *
 * @throws Failure `commands-pending` when a completed run has commands that did not end.
 */
export async function reportRun(manager: Manager, caller: Caller, report: ReportStatus): Promise<RunRecord> {
  const given = outcomeOf(report);
  return await asHolder(
    manager,
    caller,
    async (sql, run) => {
      const open = await lockOpenCommands(sql, run.id);
      const outcome = run.cancel_requested_at === null ? given : cancelled(run);
      if (outcome.terminalStatus === 'completed' && open.length > 0) throw commandsPending(run, open.length);
      await closeRun(manager, sql, run, outcome, outcome, false);
      return manager.redact.json(runRecord(await runRow(sql, run.id)));
    },
    async (_sql, run) => manager.redact.json(runRecord(run)),
  );
}

export function cancelled(run: Pick<RunRow, 'cancel_reason'>) {
  return failed('cancelled', 'cancelled', run.cancel_reason);
}

export function commandsPending(run: RunRow, count: number): Failure {
  return new Failure('commands-pending', `run ${run.id} has ${count} commands that have not ended`, {
    details: { open: count },
  });
}

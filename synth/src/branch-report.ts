import type { BranchPlan } from '@agentrun/lib';
import { fileDiff } from './file-diff.ts';
import type { LaneReport, ReportFormat } from './report/index.ts';
import type { Terminal } from './terminal.ts';

/** What a command did to a branch, or would do. */
interface BranchChange {
  readonly status: string;
  readonly commit: string | undefined;
  readonly plan: BranchPlan;
  readonly before: ReadonlyMap<string, string>;
}

interface ChangeOptions {
  readonly dryRun?: boolean;
  readonly format: ReportFormat;
}

/** Words for what was only tried. */
const WOULD: Readonly<Record<string, string>> = { published: 'would-publish', removed: 'would-remove' };

/** The report on a lane whose branch was changed; a dry run has no commit to tell of. */
export function branchReport(
  lane: LaneReport,
  { status, commit }: BranchChange,
  { dryRun }: ChangeOptions,
): LaneReport {
  const would = dryRun === true ? WOULD[status] : undefined;
  if (would !== undefined) return { ...lane, status: would };
  return { ...lane, status, ...(commit === undefined ? {} : { commit }) };
}

/** After a dry run prints the difference: to standard output, or where that is for programs, to standard error. */
export function printDiff({ plan, before }: BranchChange, { dryRun, format }: ChangeOptions, terminal: Terminal): void {
  if (dryRun !== true) return;
  (format === 'text' ? terminal.stdout : terminal.stderr).write(fileDiff(plan, before));
}

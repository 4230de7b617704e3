import type { Problem } from '@agentrun/lib/errors';
import type { LaneReport, Report, ReportOptions } from './report.ts';
import { shownFile } from './shown-file.ts';

/**
 * A report for machines: `{formatVersion: 1, command, ok, lanes, problems}`, members always in the same order, members
 * without a value left out, two spaces, one newline at the end. The frame of a problem is left out: it is for people.
 */
export function formatJson(report: Report, options: ReportOptions): string {
  const document = {
    formatVersion: 1,
    command: report.command,
    ok: report.ok,
    lanes: report.lanes.map(laneMembers),
    problems: report.problems.map((problem) => problemMembers(problem, options.cwd)),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

// Written out member by member, so that the order is ours and nothing else gets in.
function laneMembers({ lane, status, filesDigest, objectsDigest, files, commit }: LaneReport): object {
  return { lane, status, filesDigest, objectsDigest, files, commit };
}

function problemMembers(problem: Problem, cwd: string): object {
  const { code, severity, message, line, column, endLine, endColumn, lanePath, object, pointer, hint } = problem;
  const file = problem.file === undefined ? undefined : shownFile(problem.file, cwd);
  return { code, severity, message, file, line, column, endLine, endColumn, lanePath, object, pointer, hint };
}

import type { Problem } from '@agentrun/lib/errors';
import { problemDetails, problemHint } from './problem-details.ts';
import type { Report, ReportOptions } from './report.ts';
import { shownFile } from './shown-file.ts';
import { visibleLines } from './visible-text.ts';

/**
 * A report as GitHub workflow commands, a line for each problem, which become annotations of the run and of the changed
 * files. Empty when there is no problem. The lanes are not part of this format.
 */
export function formatGithub(report: Report, options: ReportOptions): string {
  return report.problems.map((problem) => `${command(problem, options.cwd)}\n`).join('');
}

function command(problem: Problem, cwd: string): string {
  const properties = [...place(problem, cwd), ['title', problem.code] as const]
    .map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
    .join(',');
  const lines = [
    ...visibleLines(problem.message),
    ...problemDetails(problem),
    ...visibleLines(`hint: ${problemHint(problem)}`),
  ];
  return `::${problem.severity} ${properties}::${escapeData(lines.join('\n'))}`;
}

function place(problem: Problem, cwd: string): (readonly [string, string | number])[] {
  const { file, line, column, endLine = line, endColumn } = problem;
  if (file === undefined) return [];
  const properties: (readonly [string, string | number])[] = [['file', shownFile(file, cwd)]];
  if (line === undefined || endLine === undefined) return properties;
  properties.push(['line', line]);
  // GitHub refuses columns on an annotation of several lines.
  const columns = endLine === line;
  if (columns && column !== undefined) properties.push(['col', column]);
  properties.push(['endLine', endLine]);
  if (columns && column !== undefined && endColumn !== undefined) properties.push(['endColumn', endColumn]);
  return properties;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

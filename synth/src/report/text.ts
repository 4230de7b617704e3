import type { Problem } from '@agentrun/lib/errors';
import { problemDetails, problemHint } from './problem-details.ts';
import type { LaneReport, Report, ReportOptions } from './report.ts';
import { shownFile } from './shown-file.ts';
import { visibleLines, visibleName } from './visible-text.ts';

type Paint = (text: string) => string;
interface Paints {
  readonly place: Paint;
  readonly error: Paint;
  readonly warning: Paint;
  readonly hint: Paint;
}

/**
 * A report for people: the problems, those of one file together and those of none last; a line for each lane; a line
 * with the counts. Ends with a newline; empty when there is nothing to say.
 */
export function formatText(report: Report, options: ReportOptions): string {
  const paints = paintsFor(options.colour);
  const groups = groupByFile(report.problems, options.cwd);
  const blocks = [...groups].flatMap(([file, problems]) =>
    problems.map((problem) => problemBlock(problem, file, paints)),
  );
  if (report.lanes.length > 0) blocks.push(report.lanes.map(laneLine));
  if (report.problems.length > 0) blocks.push([countLine(report.problems, groups)]);
  return blocks.map((lines) => `${lines.join('\n')}\n`).join('\n');
}

function groupByFile(problems: readonly Problem[], cwd: string): Map<string | null, Problem[]> {
  const groups = new Map<string | null, Problem[]>();
  const withoutFile = problems.filter(({ file }) => file === undefined);
  for (const problem of problems) {
    if (problem.file === undefined) continue;
    const file = shownFile(problem.file, cwd);
    groups.set(file, [...(groups.get(file) ?? []), problem]);
  }
  return withoutFile.length === 0 ? groups : groups.set(null, withoutFile);
}

function problemBlock(problem: Problem, file: string | null, paints: Paints): string[] {
  const [first = '', ...more] = visibleLines(problem.message);
  const place = file === null ? '' : `${paints.place(`${visibleName(file)}${position(problem)}:`)} `;
  const head = `${place}${paints[problem.severity](`${problem.severity}[${problem.code}]`)} ${first}`.trimEnd();
  const frame = problem.frame === undefined ? [] : visibleLines(problem.frame);
  const [hint = '', ...hintMore] = visibleLines(problemHint(problem));
  return [
    head,
    ...indented([...more, ...problemDetails(problem), ...frame, `${paints.hint('hint:')} ${hint}`, ...hintMore]),
  ];
}

function position({ line, column }: Problem): string {
  if (line === undefined) return '';
  return column === undefined ? `:${line}` : `:${line}:${column}`;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

function laneLine({ lane, status, files, commit, filesDigest, objectsDigest }: LaneReport): string {
  const facts = [status];
  if (files !== undefined) facts.push(counted(files.length, 'file'));
  if (commit !== undefined) facts.push(`commit ${commit}`);
  if (filesDigest !== undefined) facts.push(`files ${filesDigest}`);
  if (objectsDigest !== undefined) facts.push(`objects ${objectsDigest}`);
  return visibleName(`lane ${lane}: ${facts.join(', ')}`);
}

function countLine(problems: readonly Problem[], groups: ReadonlyMap<string | null, unknown>): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  const counts: string[] = [];
  if (errors > 0) counts.push(counted(errors, 'error'));
  if (warnings > 0) counts.push(counted(warnings, 'warning'));
  const files = groups.size - (groups.has(null) ? 1 : 0);
  return counts.join(', ') + (files === 0 ? '' : ` in ${counted(files, 'file')}`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function paintsFor(colour: boolean): Paints {
  const paint =
    (code: string): Paint =>
    (text) =>
      colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { place: paint('1'), error: paint('1;31'), warning: paint('1;33'), hint: paint('36') };
}

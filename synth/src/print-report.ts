import { formatReport, type Report, type ReportFormat } from './report/index.ts';
import { mayColour, type Terminal } from './terminal.ts';

/** Prints a report: what is for people goes to stderr, what is for programs to stdout. */
export function printReport(report: Report, format: ReportFormat, terminal: Terminal): void {
  const text = formatReport(report, format, { colour: mayColour(terminal), cwd: terminal.cwd() });
  (format === 'text' ? terminal.stderr : terminal.stdout).write(text);
}

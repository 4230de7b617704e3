import { formatGithub } from './github.ts';
import { formatJson } from './json.ts';
import type { Report, ReportOptions } from './report.ts';
import { formatSarif } from './sarif.ts';
import { formatText } from './text.ts';

export type { LaneReport, Report, ReportOptions } from './report.ts';

/** The formats of a report, as `--format` names them. */
export const REPORT_FORMATS = ['text', 'json', 'sarif', 'github'] as const;

/** One of {@link REPORT_FORMATS}. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

const FORMATTERS: Readonly<Record<ReportFormat, (report: Report, options: ReportOptions) => string>> = {
  text: formatText,
  json: formatJson,
  sarif: formatSarif,
  github: formatGithub,
};

/** The report as text in the format: empty, or whole lines. */
export function formatReport(report: Report, format: ReportFormat, options: ReportOptions): string {
  return FORMATTERS[format](report, options);
}

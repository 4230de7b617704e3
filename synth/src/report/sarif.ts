import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ERROR_CODES, type ErrorCode, type Problem } from '@agentrun/lib/errors';
import type { Report, ReportOptions } from './report.ts';
import { shownFile } from './shown-file.ts';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/**
 * A report as SARIF 2.1.0, for code scanning. Columns count Unicode code points, as those of a problem do, and
 * `endColumn` is exclusive in both. Files are URIs relative to `%SRCROOT%`; one that lies outside `cwd` and was named by
 * an absolute path is a `file:` URI. The lanes are not part of this format.
 */
export function formatSarif(report: Report, options: ReportOptions): string {
  const codes = [...new Set(report.problems.map(({ code }) => code))].toSorted();
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'agentrun', rules: codes.map(rule) } },
        automationDetails: { id: `agentrun/${report.command}/` },
        columnKind: 'unicodeCodePoints',
        results: report.problems.map((problem) => result(problem, codes.indexOf(problem.code), options.cwd)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function rule(code: ErrorCode): object {
  const words = code.replaceAll('-', ' ');
  return {
    id: code,
    shortDescription: { text: `${words.charAt(0).toUpperCase()}${words.slice(1)}.` },
    fullDescription: { text: ERROR_CODES[code] },
    help: { text: ERROR_CODES[code] },
  };
}

function result(problem: Problem, ruleIndex: number, cwd: string): object {
  const text = problem.hint === undefined ? problem.message : `${problem.message}\nHint: ${problem.hint}`;
  const location = {
    ...(problem.file === undefined ? {} : { physicalLocation: physicalLocation(problem, problem.file, cwd) }),
    ...logicalLocations(problem),
  };
  return {
    ruleId: problem.code,
    ruleIndex,
    level: problem.severity,
    message: { text: text.replaceAll(/\r\n?/g, '\n') },
    ...(Object.keys(location).length === 0 ? {} : { locations: [location] }),
  };
}

function physicalLocation(problem: Problem, file: string, cwd: string): object {
  const { line: startLine, column: startColumn, endLine, endColumn } = problem;
  return {
    artifactLocation: artifactLocation(shownFile(file, cwd)),
    // A member that is undefined is not printed. Without a line there is no region: SARIF wants startLine in a text.
    ...(startLine === undefined ? {} : { region: { startLine, startColumn, endLine, endColumn } }),
  };
}

function artifactLocation(file: string): object {
  if (isAbsolute(file)) return { uri: pathToFileURL(file).href };
  // A lone half of a surrogate pair has no UTF-8 form.
  const segments = file.replaceAll(/\p{Surrogate}/gu, '\ufffd').split('/');
  return { uri: segments.map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' };
}

function logicalLocations({ lanePath, object, pointer }: Problem): object {
  const places: object[] = [];
  if (lanePath !== undefined) places.push({ fullyQualifiedName: lanePath, kind: 'property' });
  if (object !== undefined || pointer !== undefined) {
    const fullyQualifiedName = pointer === undefined || pointer === '' ? object : `${object ?? ''}#${pointer}`;
    if (fullyQualifiedName !== undefined) {
      places.push({ ...(object === undefined ? {} : { name: object }), fullyQualifiedName, kind: 'resource' });
    }
  }
  return places.length === 0 ? {} : { logicalLocations: places };
}

/**
 * Writes the public API of the library to `lib/api/`, a report for each entry point, from the compiled declarations.
 * With `--check` it writes nothing and says which reports are not fresh (exit 1).
 */
import { join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const root = join(import.meta.dirname, '..', '..');
const library = join(root, 'lib');
const check = process.argv.includes('--check');

/** The entry points of the package, by the name of their report. */
const ENTRIES: Readonly<Record<string, string>> = {
  lib: 'dist/index.d.ts',
  contract: 'dist/contract/index.d.ts',
  environment: 'dist/environment/index.d.ts',
  errors: 'dist/errors.d.ts',
  processes: 'dist/processes/index.d.ts',
  testing: 'dist/testing.d.ts',
};

function isFresh(name: string, declarations: string): boolean {
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(library, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: library,
      mainEntryPointFilePath: join(library, declarations),
      bundledPackages: [],
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: join(library, 'tsconfig.json') },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: join(library, 'api'),
        // Not below lib/dist, which is packed.
        reportTempFolder: join(root, 'dist', 'api'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Error },
          // No release tags: what is exported is public. That exports are documented is a test of ours.
          'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
          'ae-undocumented': { logLevel: ExtractorLogLevel.None },
          // Types that exported ones are made of, and that nobody need name, are marked in the report.
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
  const result = Extractor.invoke(config, {
    localBuild: !check,
    showVerboseMessages: false,
    messageCallback(message) {
      // What is not an error stands in the report, or is said below in our words.
      if (message.logLevel !== ExtractorLogLevel.Error) message.handled = true;
    },
  });
  if (result.errorCount > 0) throw new Error(`the API of ${declarations} cannot be reported`);
  return !result.apiReportChanged;
}

const stale = Object.entries(ENTRIES)
  .filter(([name, declarations]) => !isFresh(name, declarations))
  .map(([name]) => `lib/api/${name}.api.md`);
if (check && stale.length > 0) {
  process.stderr.write(`not fresh, run "npm run api":\n${stale.map((path) => `  ${path}\n`).join('')}`);
  process.exitCode = 1;
} else if (stale.length > 0) process.stdout.write(stale.map((path) => `wrote ${path}\n`).join(''));

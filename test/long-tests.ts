/**
 * Tests that take long, and that `npm test` leaves out so that it stays below five minutes on two cores. `npm run
 * test:long` runs them, and so does continuous integration.
 */
export const LONG_TESTS: readonly string[] = [
  'docs/library-example.test.ts',
  'lib/check/planted-secrets.test.ts',
  'lib/gitops/publish-faults.test.ts',
  'lib/gitops/publish-model.test.ts',
  'lib/gitops/publish-race.test.ts',
  'lib/output/write-output-processes.test.ts',
  'lib/processes/fence.test.ts',
  'manager/concurrency/claim-storm.test.ts',
  'manager/concurrency/deadlock-stress.test.ts',
  'manager/concurrency/late-writes.test.ts',
  'manager/db/embedded-machines.test.ts',
  'manager/faults/clock-skew.test.ts',
  'manager/faults/duty-kills.test.ts',
  'manager/faults/postgres-faults.test.ts',
  'manager/faults/statement-kills.test.ts',
  'manager/faults/two-managers.test.ts',
  'manager/live/many-readers.test.ts',
  'manager/live/slow-reader.test.ts',
  'manager/live/two-managers.test.ts',
  'manager/telemetry/spans-lost.test.ts',
  'synth/bundle.test.ts',
  'synth/commands/publish-rename.test.ts',
  'templates/tekton/check-and-prove.test.ts',
  'templates/tekton/pipeline.test.ts',
  'templates/tekton/publish-ssh.test.ts',
  'templates/tekton/publish.test.ts',
];

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take more than ten seconds, most of it waiting. */
const SLOW = [
  'runner/chaos-short.test.ts',
  'conformance/codex.test.ts',
  'conformance/command.test.ts',
  'runner/runner-life.test.ts',
  'runner/runner-faults.test.ts',
  'runner/backends/codex-faults.test.ts',
  'synth/quickstart/quickstart.test.ts',
  'synth/client/follow.test.ts',
  'manager/fuzz.test.ts',
  'manager/concurrency/state-machine.test.ts',
];

/** Begins with the slow files, so that none of them runs alone at the end. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification): boolean => SLOW.some((path) => moduleId.endsWith(`/${path}`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

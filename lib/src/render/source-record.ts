import type { Lane } from '../lane/lane.ts';
import { GENERATOR_NAME, GENERATOR_VERSION } from './generator.gen.ts';

/** The record, at `gitops.sourceFile`, of what was rendered and by what. */
export interface SourceRecord {
  readonly lane: string;
  readonly sourceCommit: string;
  readonly generatedBy: 'agentrun';
  /** Path of the lane file in its repository. */
  readonly configSource: string;
  readonly generator: { readonly name: string; readonly version: string };
}

export const sourceRecord = (lane: Lane, sourceCommit: string, laneFile: string): SourceRecord => ({
  lane: lane.version,
  sourceCommit,
  generatedBy: 'agentrun',
  configSource: laneFile,
  generator: { name: GENERATOR_NAME, version: GENERATOR_VERSION },
});

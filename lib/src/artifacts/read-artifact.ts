import { isDeepStrictEqual } from 'node:util';
import { AgentRunError } from '../errors.ts';
import type { Lane } from '../lane/lane.ts';
import type { ServiceRecord } from './artifact.ts';
import { artifactForLane, assertArtifact } from './artifact-rules.ts';

/**
 * Reads a service record, or the catalog that holds one, and checks it field by field against the lane.
 *
 * @param text JSON: a record, or a catalog with exactly one service.
 * @param file how messages name the source of the text.
 * @throws AgentRunError `artifact-invalid` when it is no such record, `artifact-mismatch` when it was made for another
 *   lane, image or commit.
 */
export function readArtifact(
  text: string,
  file: string,
  lane: Lane,
  sourceCommit: string,
  laneFile: string,
): ServiceRecord {
  const record = recordOf(parseJson(text, file), file);
  for (const field of ['status', 'digest', 'envIdentity', 'bootCommit'] as const) {
    if (typeof record[field] !== 'string') {
      throw new AgentRunError('artifact-invalid', `${file}: the field "${field}" is missing or not a string`);
    }
  }
  const artifact = record as unknown as ServiceRecord;
  assertArtifact(sourceCommit, artifact);
  const expected: Record<string, unknown> = { ...artifactForLane(lane, artifact, laneFile) };
  for (const field of new Set([...Object.keys(expected), ...Object.keys(record)])) {
    if (!isDeepStrictEqual(record[field], expected[field])) {
      throw new AgentRunError(
        'artifact-mismatch',
        `${file}: the field "${field}" is ${shown(record[field])}, but for this lane it must be ${shown(expected[field])}`,
      );
    }
  }
  return expected as unknown as ServiceRecord;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AgentRunError('artifact-invalid', `${file} is not JSON`, { cause });
  }
}

function recordOf(value: unknown, file: string): Record<string, unknown> {
  const isMap = (candidate: unknown): candidate is Record<string, unknown> =>
    typeof candidate === 'object' && candidate !== null && !Array.isArray(candidate);
  if (!isMap(value))
    throw new AgentRunError('artifact-invalid', `${file} holds neither a service record nor a catalog`);
  if (!('services' in value)) return value;
  const services = Array.isArray(value['services']) ? value['services'] : [];
  const [only] = services as unknown[];
  if (services.length !== 1 || !isMap(only)) {
    throw new AgentRunError('artifact-invalid', `${file} must hold exactly one service, found ${services.length}`);
  }
  return only;
}

const shown = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, 200));

import { describe, expect, it } from 'vitest';
import { checkObjectSchema } from '../../../lib/src/check/object-schema.ts';
import { controlPlaneObjects } from '../../../lib/src/manifests/control-plane.ts';
import { runtimeFiles } from '../../../lib/src/manifests/runtime-files.ts';
import { contractLane, contractVariant } from '../../helpers/contract-lane.ts';

const input = {
  sourceCommit: '0123456789abcdef0123456789abcdef01234567',
  envIdentity: 'env-3f2a9c',
  image: `registry.example.com:5000/agentrun/agentrun-mgr-env@sha256:${'ab'.repeat(32)}`,
};

describe('what is rendered', () => {
  it.each([
    ['the example lane', contractLane()],
    ['its variant', contractVariant()],
  ])('for %s satisfies the schemas', (_name, lane) => {
    const objects = [...controlPlaneObjects(lane), ...runtimeFiles(lane, input).flatMap((file) => file.objects)];
    expect(objects.length).toBeGreaterThan(15);
    expect(
      objects.flatMap((object) => checkObjectSchema(object).map((finding) => ({ kind: object.kind, ...finding }))),
    ).toEqual([]);
  });
});

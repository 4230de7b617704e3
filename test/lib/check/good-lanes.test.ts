import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageArtifact, placeholderArtifact } from '../../../lib/src/artifacts/artifact.ts';
import { checkRendered } from '../../../lib/src/check/check-rendered.ts';
import { renderedPaths } from '../../../lib/src/lane/rendered-paths.ts';
import { validateLaneObject } from '../../../lib/src/lane/validate-lane-object.ts';
import { renderLane } from '../../../lib/src/render/render-lane.ts';
import { anyLane } from '../../helpers/any-lane.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const LANES = fc.sample(anyLane(), { numRuns: 500, seed: 20_260_601 });

describe('500 good lanes', () => {
  it('differ, and have every choice that a lane can make', () => {
    expect(new Set(LANES.map((lane) => JSON.stringify(lane))).size).toBe(500);
    const { deployment } = { deployment: LANES.map((lane) => lane.deployment) };
    expect(new Set(deployment.map(({ localPostgres }) => localPostgres.enabled)).size).toBe(2);
    expect(new Set(deployment.map(({ runner }) => runner.placement)).size).toBe(2);
    expect(new Set(deployment.map(({ runner }) => runner.egressProxyUrl === null)).size).toBe(2);
    expect(new Set(deployment.map(({ network }) => network.runnerEgress.length)).size).toBe(3);
    expect(new Set(deployment.map(({ manager }) => Object.keys(manager.secretEnv).length)).size).toBeGreaterThan(2);
  });

  it('are right as lanes', () => {
    for (const lane of LANES) {
      const { problems, lane: filled } = validateLaneObject(lane);
      expect(problems.filter(({ code, severity }) => severity === 'error' || code === 'lane-secret')).toEqual([]);
      expect(filled).toEqual(lane);
    }
  });

  it.each(['placeholder', 'image'] as const)(
    'render with a %s to what the check finds nothing in, no secret either, at the paths that are told before',
    (kind) => {
      for (const lane of LANES) {
        const artifact =
          kind === 'placeholder'
            ? placeholderArtifact(lane, COMMIT)
            : imageArtifact(lane, {
                sourceCommit: COMMIT,
                envIdentity: 'env-3f2a9c',
                digest: `sha256:${'ab'.repeat(32)}`,
                status: 'built',
              });
        const rendered = renderLane(lane, { sourceCommit: COMMIT, artifact });
        const findings = checkRendered(rendered);
        if (findings.length > 0) expect(findings, JSON.stringify(lane)).toEqual([]);
        expect(rendered.files.map(({ path }) => path).sort()).toEqual(
          renderedPaths(lane)
            .map(({ path }) => path)
            .sort(),
        );
      }
    },
  );
});

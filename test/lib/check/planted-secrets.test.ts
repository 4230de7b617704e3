import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { placeholderArtifact } from '../../../lib/src/artifacts/artifact.ts';
import { checkLane } from '../../../lib/src/check/check-lane.ts';
import { checkRendered } from '../../../lib/src/check/check-rendered.ts';
import type { Problem } from '../../../lib/src/errors.ts';
import type { Lane } from '../../../lib/src/lane/lane.ts';
import { validateLane } from '../../../lib/src/lane/validate-lane.ts';
import { validateLaneObject } from '../../../lib/src/lane/validate-lane-object.ts';
import { type RenderedLane, renderLane } from '../../../lib/src/render/render-lane.ts';
import { formatReport, REPORT_FORMATS } from '../../../synth/src/report/index.ts';
import { opaqueSecrets, type PlantedSecret, plantedSecrets } from '../../helpers/planted-secrets.ts';
import { OPAQUE_PLACES, SECRET_PLACES } from '../../helpers/secret-places.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const FILE = 'lanes/v0.1.yaml';
const PLANTED = planted(2, 20_260_601);
const PLACES = Object.entries(SECRET_PLACES);
/** The lane takes any name here; so the check of the output has to see it. */
const FREE_NAME = 'the name of a resource';

const render = (lane: Lane): RenderedLane =>
  renderLane(lane, { sourceCommit: COMMIT, artifact: placeholderArtifact(lane, COMMIT) });

/** What is printed of some problems: every member of them, and every format of a report, with and without colour. */
function printed(problems: readonly Problem[]): string {
  const report = { command: 'check', ok: false, lanes: [{ lane: 'v0.1', status: 'refused' }], problems };
  const reports = REPORT_FORMATS.flatMap((format) =>
    [false, true].map((colour) => formatReport(report, format, { colour, cwd: '/repository' })),
  );
  return [...problems.flatMap((problem) => Object.values(problem).map(String)), ...reports].join('\n');
}

/** By the grammar of URLs a password ends at its first "@" when a "#" follows: what is behind is no part of it. */
function planted(rounds: number, seed: number): PlantedSecret[] {
  return plantedSecrets(rounds, seed).map((one) =>
    one.shape === 'url-password with signs' ? { ...one, secret: one.secret.split('@')[0] ?? '' } : one,
  );
}

/** The first part of the secret that stands in the text: eight characters of a short one, sixteen of a long one. */
function leak(text: string, secret: string): string | undefined {
  const length = secret.length < 20 ? Math.min(8, secret.length) : 16;
  for (let at = 0; at + length <= secret.length; at += 1) {
    const part = secret.slice(at, at + length);
    if (!/\s/.test(part) && text.includes(part)) return part;
  }
  return undefined;
}

/** The problems of a lane that must not be rendered: those of the lane itself, else those of its output. */
function refusals(lane: Lane): { problems: readonly Problem[]; by: 'lane' | 'output' | 'nobody' } {
  const text = stringify(lane);
  const checked = validateLane(text, FILE);
  if (checked.lane === undefined) return { problems: checked.problems, by: 'lane' };
  const loaded = { lane: checked.lane, file: FILE, text, problems: [], positionOf: checked.positionOf };
  const problems = checkLane(loaded, render(checked.lane));
  return { problems, by: problems.some(({ code }) => code === 'output-secret') ? 'output' : 'nobody' };
}

describe('a secret of known shape', () => {
  it('is planted in 100 forms of more than 25 shapes, in 25 places', () => {
    expect(PLANTED.length).toBeGreaterThanOrEqual(100);
    expect(new Set(PLANTED.map(({ shape }) => shape.split(' ')[0])).size).toBeGreaterThan(25);
    expect(PLACES.length).toBeGreaterThanOrEqual(25);
  });

  it.each(PLACES.filter(([place]) => place !== FREE_NAME))(
    'in %s is refused with the lane, and told by no problem',
    (place, plant) => {
      for (const { shape, text, secret } of PLANTED) {
        const { lane, problems } = validateLaneObject(plant(text));
        expect(lane, `${shape} in ${place}`).toBeUndefined();
        expect(problems.some(({ severity }) => severity === 'error')).toBe(true);
        const told = problems
          .map(({ message, hint = '', lanePath = '' }) => `${message} ${hint} ${lanePath}`)
          .join('\n');
        expect(leak(told, secret), `${shape} in ${place}`).toBeUndefined();
      }
    },
  );

  it('in a file is shown neither in a frame nor in a report', () => {
    for (const [at, { shape, text, secret }] of PLANTED.entries()) {
      // Each secret goes to two or three of the places, each place gets a tenth of the secrets.
      for (const [place, plant] of PLACES.filter((_, position) => position % 10 === at % 10)) {
        const { problems, by } = refusals(plant(text));
        expect(by, `${shape} in ${place}`).toBe(place === FREE_NAME ? 'output' : 'lane');
        expect(leak(printed(problems), secret), `${shape} in ${place}`).toBeUndefined();
      }
    }
  });

  it('in base64 is refused with the lane or with the output, and shown in neither form', () => {
    const places = ['a variable of the manager', 'the ssh endpoint', 'a host without the proxy', 'the query of a URL'];
    const judges = new Set<string>();
    // One of each shape: to trace one to its field takes a hundred renders.
    for (const [at, { shape, text, secret }] of planted(1, 20_260_603).entries()) {
      const place = places[at % places.length] ?? '';
      const encoded = Buffer.from(text).toString('base64');
      const { problems, by } = refusals(SECRET_PLACES[place]?.(encoded) as Lane);
      judges.add(by);
      expect(by, `${shape} in ${place}: ${encoded}`).not.toBe('nobody');
      const all = printed(problems);
      expect(leak(all, secret), `${shape} in ${place}`).toBeUndefined();
      expect(leak(all, encoded), `${shape} in ${place}`).toBeUndefined();
    }
    // Else the second half of this test would not have been one.
    expect([...judges].sort()).toEqual(['lane', 'output']);
  });

  it('in a rendered lane that nobody has validated is refused by the check of the output', () => {
    const rendered = ['a variable of the manager', 'the ssh endpoint', 'the path of a URL', 'a host without the proxy'];
    for (const [at, { shape, text, secret }] of PLANTED.entries()) {
      const place = rendered[at % rendered.length] ?? '';
      const lane = SECRET_PLACES[place]?.(text.replaceAll(/[^\P{Cc}\n]/gu, '')) as Lane;
      const findings = checkRendered(render(lane));
      expect(
        findings.some(({ code }) => code === 'output-secret'),
        `${shape} in ${place}`,
      ).toBe(true);
      expect(leak(JSON.stringify(findings), secret), `${shape} in ${place}`).toBeUndefined();
    }
  });
});

describe('a random string', () => {
  it.each(OPAQUE_PLACES)('in %s is refused, and shown nowhere', (place) => {
    for (const secret of opaqueSecrets(100, 20_260_602)) {
      const { problems, by } = refusals(SECRET_PLACES[place]?.(secret) as Lane);
      expect(by, secret).toBe('lane');
      expect(leak(printed(problems), secret)).toBeUndefined();
      const findings = checkRendered(render(SECRET_PLACES[place]?.(secret) as Lane));
      expect(findings.map(({ code }) => code)).toEqual(['output-secret']);
      expect(leak(JSON.stringify(findings), secret)).toBeUndefined();
    }
  });
});

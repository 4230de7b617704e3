import { findSecret, maskSecrets } from '../contract/secret-shapes.ts';
import type { Problem } from '../errors.ts';
import { codeFrame } from '../lane/code-frame.ts';
import { isWithin, parseLanePath } from '../lane/lane-path.ts';
import type { LoadedLane } from '../lane/load-lane.ts';
import type { RenderedLane } from '../render/render-lane.ts';
import type { Finding } from './finding.ts';
import { laneLeaves } from './lane-leaves.ts';
import { originFinder } from './origins.ts';
import { secretLinesMask } from './secret-lines-mask.ts';

/**
 * Findings about the output as problems of the lane: each at the line of the lane field that the place comes from.
 * A place that no field moves (a fault of the renderer or of a template) is reported at the rendered file.
 */
export function locatedProblems(findings: readonly Finding[], rendered: RenderedLane, loaded: LoadedLane): Problem[] {
  const originsOf = originFinder(rendered);
  const traced = findings.map((finding) => {
    const origins = originsOf(finding);
    const [lanePath, ...others] = origins;
    const place = lanePath === undefined ? undefined : loaded.positionOf(lanePath);
    return { finding, origins, lanePath, others, place };
  });
  const secretFields = traced
    .filter(({ finding }) => finding.code === 'output-secret')
    .flatMap(({ origins }) => origins.map(parseLanePath));
  const secretPlaces = laneLeaves(rendered.lane)
    .filter((leaf) => secretFields.some((field) => isWithin(leaf, field)))
    .flatMap((leaf) => [
      loaded.positionOf(leaf),
      ...(findSecret(String(leaf.at(-1))) === undefined ? [] : [loaded.positionOf(leaf, 'key')]),
    ]);
  const lines = loaded.text.split(/\r?\n/);
  const mask = secretLinesMask(loaded.text, secretPlaces);
  return traced.map(({ finding, lanePath, others, place }) => {
    const { code, file, object, pointer, hint } = finding;
    const alsoFrom = others.length > 0 ? `; also decided by ${others.join(', ')}` : '';
    return {
      code,
      severity: 'error',
      message: maskSecrets(`${file}: ${finding.message}${alsoFrom}`),
      ...(place === undefined ? { file } : { file: loaded.file, ...place, frame: codeFrame(lines, place, { mask }) }),
      ...(lanePath === undefined ? {} : { lanePath: maskSecrets(lanePath) }),
      ...(object === undefined ? {} : { object }),
      ...(pointer === undefined ? {} : { pointer }),
      ...(hint === undefined ? {} : { hint }),
    };
  });
}

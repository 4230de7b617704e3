import type { Problem } from '../errors.ts';
import type { LoadedLane } from '../lane/load-lane.ts';
import type { RenderedLane } from '../render/render-lane.ts';
import { checkRendered } from './check-rendered.ts';
import { locatedProblems } from './located-problems.ts';

/** Checks a rendered lane; every problem stands at the line of the lane that caused it. An empty list means good. */
export function checkLane(loaded: LoadedLane, rendered: RenderedLane): Problem[] {
  const findings = checkRendered(rendered);
  return findings.length === 0 ? [] : locatedProblems(findings, rendered, loaded);
}

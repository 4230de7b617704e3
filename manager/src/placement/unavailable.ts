import type { Placement, PlacementKind } from './placement.ts';
import { PlacementError } from './placement-error.ts';

/**
 * A placement that this build does not have. Every start is refused for good, and it never claims that something is
 * gone: another build may have placed it.
 */
export function unavailablePlacement(kind: PlacementKind): Placement {
  const why = `this manager cannot place runners as ${JSON.stringify(kind)}: that placement is not built in`;
  return {
    kind,
    start: () =>
      Promise.reject(
        new PlacementError('placement-unavailable', `${why}; set deployment.runner.placement to "host-process"`),
      ),
    observe: () => Promise.resolve({ state: 'unknown', reason: why }),
    fence: () => Promise.resolve({ gone: false, survivors: [], couldNotLook: why }),
    list: () => Promise.resolve([]),
    remove: () => Promise.resolve(),
    onExit: () => () => {},
    close: () => Promise.resolve([]),
  };
}

import { expect, it } from 'vitest';
import { PlacementError } from '../../../manager/src/placement/placement-error.ts';
import { unavailablePlacement } from '../../../manager/src/placement/unavailable.ts';
import { attemptStart } from '../../helpers/attempt-start.ts';

const placement = unavailablePlacement('kubernetes-job');

it('refuses every start for good, and says why', async () => {
  const error = await placement.start(attemptStart('att_1')).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PlacementError);
  expect(error).toMatchObject({ reason: 'placement-unavailable', failureKind: 'infra-failed', retryable: false });
  expect(String(error)).toContain('kubernetes-job');
});

it('never claims that something is gone', async () => {
  expect(await placement.observe({ kind: 'kubernetes-job' })).toMatchObject({ state: 'unknown' });
  expect(await placement.fence('att_1', null)).toMatchObject({
    gone: false,
    survivors: [],
    couldNotLook: expect.any(String),
  });
});

it('holds nothing, tells nothing, and closes', async () => {
  expect(await placement.list()).toEqual([]);
  await placement.remove('att_1');
  placement.onExit(() => {})();
  expect(await placement.close({ leaveRunning: false })).toEqual([]);
});

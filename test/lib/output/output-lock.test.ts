import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withOutputLock } from '../../../lib/src/output/output-lock.ts';
import { outputPlace, temporaryPath } from '../../../lib/src/output/output-place.ts';
import { ownWriter } from '../../../lib/src/output/writer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentrun-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('lets one step run at a time, and leaves nothing behind', async () => {
  const place = outputPlace(join(folder, 'out'));
  let running = 0;
  let most = 0;
  const step = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await delay(2);
    running -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => withOutputLock(place, step)));
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

it('keeps apart the locks of two outputs in one folder', async () => {
  const inner = withOutputLock(outputPlace(join(folder, 'b')), async () => 'inner');
  expect(await withOutputLock(outputPlace(join(folder, 'a')), () => inner)).toBe('inner');
});

it('gives the lock back when the step fails', async () => {
  const place = outputPlace(join(folder, 'out'));
  await expect(withOutputLock(place, () => Promise.reject(new Error('step')))).rejects.toThrow('step');
  expect(await withOutputLock(place, async () => 1, 0)).toBe(1);
});

it('passes over the claim of a process that has ended', async () => {
  const place = outputPlace(join(folder, 'out'));
  await writeFile(join(folder, `.out.lock-${ownWriter().host}-${2 ** 22 + 1}-7-01234567`), '');
  expect(await withOutputLock(place, async () => 1, 0)).toBe(1);
});

it('respects the claim of another machine for a minute', async () => {
  const place = outputPlace(join(folder, 'out'));
  const claim = join(folder, '.out.lock-00000000-1-7-01234567');
  await writeFile(claim, '');
  await expect(withOutputLock(place, async () => 1, 50)).rejects.toMatchObject({ code: 'output-write' });
  const past = new Date(Date.now() - 61_000);
  await utimes(claim, past, past);
  expect(await withOutputLock(place, async () => 1, 50)).toBe(1);
});

it('names the process that holds the lock too long, and what to do', async () => {
  const place = outputPlace(join(folder, 'out'));
  const claim = temporaryPath(place, 'lock');
  await writeFile(claim, '');
  const failure = withOutputLock(place, async () => 1, 60);
  await expect(failure).rejects.toThrow(`process ${process.pid} has been replacing it`);
  await expect(failure).rejects.toMatchObject({ code: 'output-write', hint: expect.stringContaining(claim) });
  expect(await readdir(folder)).toHaveLength(1);
});

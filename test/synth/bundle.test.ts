import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run as runSources } from '../../synth/src/run.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const LANE = join(REPOSITORY, 'lanes/v0.1.yaml');
const RENDER = ['--placeholder', '--source-commit', 'a'.repeat(40), '--allow-dirty', '--format', 'json'];

let scratch: string;
let root: string;
let bundle: string;
let count = 0;

const freshFolder = async (): Promise<string> => {
  count += 1;
  const folder = join(scratch, String(count));
  await mkdir(folder);
  return folder;
};
const synthArgs = async (): Promise<string[]> => ['synth', LANE, ...RENDER, '--out', join(await freshFolder(), 'out')];

function agentrun(args: readonly string[], options: { bin?: string; cwd?: string; env?: Record<string, string> } = {}) {
  const { NODE_OPTIONS: _theirs, ...env } = process.env;
  return spawnSync(process.execPath, [options.bin ?? join(root, 'bin/agentrun.js'), ...args], {
    cwd: options.cwd ?? REPOSITORY,
    encoding: 'utf8',
    env: { ...env, ...options.env },
  });
}

const digestsOf = (report: string): unknown => {
  const { lanes } = JSON.parse(report) as { lanes: { filesDigest: string; objectsDigest: string }[] };
  return lanes.map(({ filesDigest, objectsDigest }) => ({ filesDigest, objectsDigest }));
};

const caches = async (): Promise<string[]> =>
  (await readdir(bundle)).filter((name) => name.endsWith('.cache')).map((name) => join(bundle, name));

let expected: unknown;

beforeAll(async () => {
  scratch = await realpath(await mkdtemp(join(tmpdir(), 'agentrun-bundle-')));
  root = join(scratch, 'package');
  bundle = join(root, 'dist/bundle');
  execFileSync(process.execPath, [join(REPOSITORY, 'synth/scripts/bundle.mjs'), '--root', root], { stdio: 'ignore' });

  let report = '';
  const terminal = {
    stdout: { write: (text: string) => (report += text) },
    stderr: { write: () => true },
    env: {},
    cwd: () => REPOSITORY,
  };
  expect(await runSources(await synthArgs(), terminal)).toBe(0);
  expected = digestsOf(report);
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('the bundle', () => {
  it('renders what the sources render', async () => {
    const { status, stdout } = agentrun(await synthArgs());
    expect(status).toBe(0);
    expect(digestsOf(stdout)).toEqual(expected);
  });

  it('runs through a link, in another directory, with options for Node', async () => {
    const bin = join(await freshFolder(), 'agentrun');
    await symlink(join(root, 'bin/agentrun.js'), bin);
    const cwd = await freshFolder();
    const { status, stdout } = agentrun(await synthArgs(), {
      bin,
      cwd,
      env: { NODE_OPTIONS: '--max-old-space-size=512' },
    });
    expect(status).toBe(0);
    expect(digestsOf(stdout)).toEqual(expected);
  });

  it('brings the process of the proof along', async () => {
    const args = (await synthArgs()).filter((arg) => arg !== '--format' && arg !== 'json');
    const { status, stderr } = agentrun([...args, '--prove']);
    expect(stderr).toContain('proved in 24 environments');
    expect(status).toBe(0);
  });

  it('gives the exit code and the messages of the sources', () => {
    const { status, stderr } = agentrun(['synth', 'v9.9', '--placeholder', '--allow-dirty']);
    expect(status).toBe(1);
    expect(stderr).toContain('error[lane-not-found] lanes/v9.9.yaml does not exist');
  });

  it('writes its whole output before it leaves', () => {
    const { stdout } = agentrun(['lane', 'schema']);
    expect(() => JSON.parse(stdout) as unknown).not.toThrow();
    expect(stdout.length).toBeGreaterThan(30_000);
  });

  it('names no folder of the machine that built it', async () => {
    for (const name of await readdir(bundle)) {
      expect((await readFile(join(bundle, name), 'latin1')).includes(REPOSITORY), name).toBe(false);
    }
  });
});

describe('the cache of compiled code', () => {
  const isWhole = async (path: string): Promise<boolean> => {
    const bytes = await readFile(path);
    return createHash('sha256').update(bytes.subarray(32)).digest().equals(bytes.subarray(0, 32));
  };
  const withDigest = (data: Buffer): Buffer => Buffer.concat([createHash('sha256').update(data).digest(), data]);
  const onlyCache = async (): Promise<string> => {
    const [path, ...others] = await caches();
    expect(others).toEqual([]);
    return path ?? '';
  };

  beforeEach(async () => {
    for (const path of await caches()) await rm(path);
    agentrun(await synthArgs());
    expect(await isWhole(await onlyCache())).toBe(true);
  });

  const damages: Record<string, (bytes: Buffer) => Buffer> = {
    'has other bytes in its middle': (bytes) => Buffer.from(bytes).fill(0x5a, 100_000, 100_008),
    'is cut': (bytes) => bytes.subarray(0, 4000),
    'is empty': () => Buffer.alloc(0),
    'comes from another version of V8': (bytes) => withDigest(Buffer.from(bytes.subarray(32)).fill(0x5a, 4, 8)),
  };
  for (const [name, damage] of Object.entries(damages)) {
    it(`is not used when it ${name}, and is made anew`, async () => {
      const path = await onlyCache();
      await writeFile(path, damage(await readFile(path)));
      const damaged = await readFile(path);
      const { status, stdout, stderr } = agentrun(await synthArgs());
      expect(stderr).toBe('');
      expect(status).toBe(0);
      expect(digestsOf(stdout)).toEqual(expected);
      expect(await isWhole(path)).toBe(true);
      expect(damaged.equals(await readFile(path))).toBe(false);
    });
  }

  it('is left alone by a run that used it', async () => {
    const path = await onlyCache();
    const before = await readFile(path);
    agentrun(await synthArgs());
    expect(before.equals(await readFile(path))).toBe(true);
  });

  it('is not made by a short command, nor under options of Node', async () => {
    await rm(await onlyCache());
    agentrun(['--version']);
    agentrun(await synthArgs(), { env: { NODE_OPTIONS: '--stack-size=900' } });
    expect(await caches()).toEqual([]);
  });
});

describe('the bin', () => {
  const fakeRoot = async (): Promise<string> => {
    const fake = await freshFolder();
    await cp(join(root, 'bin'), join(fake, 'bin'), { recursive: true });
    await mkdir(join(fake, 'dist/bundle'), { recursive: true });
    await writeFile(join(fake, 'package.json'), '{ "type": "module" }\n');
    return fake;
  };
  const says = (fake: string) => agentrun([], { bin: join(fake, 'bin/agentrun.js') });
  const writeAt = async (path: string, text: string, seconds: number): Promise<void> => {
    await writeFile(path, text);
    await utimes(path, seconds, seconds);
  };

  it('says what to do where nothing is built', async () => {
    const { status, stderr } = says(await fakeRoot());
    expect(status).toBe(1);
    expect(stderr).toBe('agentrun is not built yet: run "npm run build" in its repository\n');
  });

  it('takes the bundle, unless the sources were compiled or the packages installed after it', async () => {
    const fake = await fakeRoot();
    await writeAt(join(fake, 'dist/main.js'), "process.stdout.write('compiled');", 1000);
    expect(says(fake).stdout).toBe('compiled');
    await writeAt(join(fake, 'dist/bundle/agentrun.cjs'), "//0\n(() => process.stdout.write('bundle'))", 2000);
    expect(says(fake).stdout).toBe('bundle');
    await writeAt(join(fake, 'dist/.tsbuildinfo'), '{}', 1999);
    expect(says(fake).stdout).toBe('bundle');
    for (const note of [
      join(fake, 'dist/.tsbuildinfo'),
      join(fake, '../lib/dist/.tsbuildinfo'),
      join(fake, '../node_modules/.package-lock.json'),
    ]) {
      await mkdir(join(note, '..'), { recursive: true });
      await writeAt(note, '{}', 2001);
      expect(says(fake).stdout, note).toBe('compiled');
      await utimes(note, 1999, 1999);
      expect(says(fake).stdout, note).toBe('bundle');
    }
  });
});

describe('the package', () => {
  it('holds what the bin needs and no more', async () => {
    agentrun(await synthArgs());
    const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
    });
    const [packed] = JSON.parse(listed) as { files: { path: string }[] }[];
    const files = packed?.files.map(({ path }) => path.replace(/[^/]*\.cache$/, 'CACHE')).sort();
    expect(files).toEqual([
      'bin/agentrun.js',
      'bin/package.json',
      'dist/bundle/CACHE',
      'dist/bundle/LICENSES',
      'dist/bundle/agentrun.cjs',
      'dist/bundle/package.json',
      'dist/bundle/worker.js',
      'package.json',
    ]);
  });

  it('runs once installed, with no other package', async () => {
    const folder = await freshFolder();
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root, stdio: 'ignore' });
    const [archive = ''] = await readdir(folder);
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
    execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${archive}`], {
      cwd: folder,
      stdio: 'ignore',
    });
    const modules = (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
    expect(modules).toEqual(['@agentrun']);
    const { status, stdout } = agentrun(await synthArgs(), {
      bin: join(folder, 'node_modules/.bin/agentrun'),
      cwd: folder,
    });
    expect(status).toBe(0);
    expect(digestsOf(stdout)).toEqual(expected);
  });

  it('carries the licence of each package inside', async () => {
    const licences = await readFile(join(bundle, 'LICENSES'), 'utf8');
    const { inputs } = await metafile();
    const names = new Set(
      Object.keys(inputs).flatMap((input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []),
    );
    expect(names.size).toBeGreaterThan(5);
    for (const name of names) expect(licences).toMatch(new RegExp(`^${name} [0-9.]+ \\(`, 'm'));
  });
});

const metafile = async (): Promise<Metafile> =>
  JSON.parse(await readFile(join(bundle, 'meta.json'), 'utf8')) as Metafile;

describe('what is loaded at every start', () => {
  /** Inputs that run when the command line is loaded; what is imported later, or by a getter, does not. */
  async function loadedAtStart(): Promise<Set<string>> {
    const { inputs } = await metafile();
    const found = new Set<string>();
    const visit = (path: string): void => {
      if (found.has(path)) return;
      found.add(path);
      if (path.startsWith('later:')) return;
      for (const { path: next, kind } of inputs[path]?.imports ?? []) if (kind !== 'dynamic-import') visit(next);
    };
    visit('synth/src/main.ts');
    return found;
  }

  it('is the renderer without simple-git and child_process', async () => {
    const loaded = [...(await loadedAtStart())];
    expect(loaded).toContain('lib/src/render/render-lane.ts');
    expect(loaded.filter((path) => /simple-git|^(?:node:)?child_process$/.test(path))).toEqual([]);
  });

  it('leaves out what it never calls of its packages', async () => {
    const { outputs } = await metafile();
    const inside = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
    expect(inside.filter((path) => path.endsWith('/cdk8s/lib/app.js')).length).toBeGreaterThan(0);
    expect(inside.filter((path) => /cdk8s\/lib\/(?:helm|include|testing)\.js$/.test(path))).toEqual([]);
  });

  it('needs nothing but Node', async () => {
    const { outputs } = await metafile();
    const external = Object.values(outputs).flatMap(({ imports }) => imports.filter((one) => one.external === true));
    expect(external.length).toBeGreaterThan(0);
    expect(external.filter(({ path }) => !isBuiltin(path))).toEqual([]);
  });
});

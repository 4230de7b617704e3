import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CommittedFile, createGitRemote, type GitRemote } from './git-remote.ts';

export const BOOT_SCRIPT = join(import.meta.dirname, '../../templates/boot/agentrun-boot.sh');

const LOCK = '{"name":"booted","lockfileVersion":3}\n';

// A true bundler in small: it imports a package of the image, one of its workspace, and the checkout's own library.
const BUNDLE_SCRIPT = `import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { revision } from '@agentrun/lib';
import { greeting } from 'greeter';
import { nested } from 'nested';
const { values } = parseArgs({ options: { outdir: { type: 'string' } } });
const facts = { name: process.env.AGENTRUN_BOOT_MODE, greeting, nested, revision };
mkdirSync(values.outdir, { recursive: true });
writeFileSync(values.outdir + '/package.json', '{"type":"module"}');
writeFileSync(values.outdir + '/main.js', \`
import process from 'node:process';
process.on('SIGTERM', () => { console.log('drained'); process.exit(7); });
const git = Object.keys(process.env).filter((name) => name.startsWith('GIT_'));
const { pid, argv, execArgv } = process;
console.log(JSON.stringify({ ...\${JSON.stringify(facts)}, pid, argv, execArgv, git }));
if (argv.includes('--wait')) setInterval(() => {}, 1000);
\`);
console.log('bundled');
`;

/** What the booted program prints first. */
export interface Booted {
  name: string;
  greeting: string;
  nested: string;
  revision: string;
  pid: number;
  argv: string[];
  execArgv: string[];
  git: string[];
}

/** The files of a small repository that can be booted; `revision` is what its library exports. */
export function bootableFiles(revision: string): Record<string, CommittedFile> {
  return {
    'package-lock.json': LOCK,
    'lib/package.json': '{"name":"@agentrun/lib","type":"module","exports":"./index.js"}',
    'lib/index.js': `export const revision = ${JSON.stringify(revision)};\n`,
    'manager/scripts/bundle.mjs': BUNDLE_SCRIPT,
    'runner/scripts/bundle.mjs': BUNDLE_SCRIPT,
  };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Lays out what the environment image holds below its prefix, as npm would: workspaces as relative links. */
async function writeImage(prefix: string): Promise<void> {
  const environment = join(prefix, 'environment');
  const hash = createHash('sha256').update(LOCK).digest('hex');
  await write(join(environment, 'package-lock.sha256'), `${hash}\n`);
  for (const [folder, name] of [
    ['node_modules', 'greeter'],
    ['manager/node_modules', 'nested'],
    ['runner/node_modules', 'nested'],
  ] as const) {
    await write(join(environment, folder, name, 'package.json'), `{"type":"module","exports":"./index.js"}`);
    const exported = name === 'greeter' ? 'greeting' : 'nested';
    await write(
      join(environment, folder, name, 'index.js'),
      `export const ${exported} = '${exported} of the image';\n`,
    );
  }
  await write(join(environment, 'node_modules/.package-lock.json'), '{}');
  await write(join(environment, 'lib/package.json'), '{"name":"@agentrun/lib"}');
  await mkdir(join(environment, 'node_modules/@agentrun'));
  for (const workspace of ['lib', 'manager', 'runner']) {
    await symlink(`../../${workspace}`, join(environment, 'node_modules/@agentrun', workspace));
  }
}

export interface BootResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  pid: number;
}

interface RunningBoot {
  readonly child: ChildProcess;
  readonly result: Promise<BootResult>;
  /** Waits until the text stands in stdout or stderr. */
  sees(text: string): Promise<void>;
}

export interface BootPlace {
  readonly remote: GitRemote;
  readonly prefix: string;
  readonly home: string;
  /** Adds a directory of this place. */
  folder(name: string): Promise<string>;
  start(settings: Record<string, string | undefined>, options?: StartOptions): RunningBoot;
  boot(settings: Record<string, string | undefined>, options?: StartOptions): Promise<BootResult>;
  remove(): Promise<void>;
}

interface StartOptions {
  args?: readonly string[];
  shell?: readonly string[];
  uid?: number;
}

/** A repository, an image and a HOME; boots happen in them with the settings given, retrying without waits. */
export async function createBootPlace(): Promise<BootPlace> {
  const remote = await createGitRemote();
  const root = await mkdtemp(join(tmpdir(), 'agentrun-boot-'));
  await chmod(root, 0o755);
  const [prefix, home] = [join(root, 'image'), join(root, 'home')];
  await mkdir(home);
  await writeImage(prefix);
  await copyFile(BOOT_SCRIPT, join(prefix, 'agentrun-boot.sh'));

  const start: BootPlace['start'] = (settings, { args = [], shell = ['sh'], uid } = {}) => {
    const all: Record<string, string | undefined> = {
      PATH: process.env['PATH'],
      HOME: home,
      AGENTRUN_BOOT_PREFIX: prefix,
      AGENTRUN_BOOT_MODE: 'mgr',
      AGENTRUN_BOOT_REPO_URL: remote.url,
      AGENTRUN_BOOT_RETRY_SECONDS: '0',
      AGENTRUN_ENV_IDENTITY: 'env-0123456789ab',
      ...settings,
    };
    const env = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const [command = 'sh', ...rest] = [...shell, join(prefix, 'agentrun-boot.sh'), ...args];
    const child = spawn(command, rest, { env, cwd: '/', ...(uid === undefined ? {} : { uid, gid: uid }) });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      output.stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output.stderr += chunk.toString();
    });
    const result = new Promise<BootResult>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal, ...output, pid: child.pid ?? 0 }));
    });
    const sees = async (text: string): Promise<void> => {
      while (!`${output.stdout}${output.stderr}`.includes(text)) {
        if (child.exitCode !== null) throw new Error(`ended without "${text}": ${output.stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    return { child, result, sees };
  };

  return {
    remote,
    prefix,
    home,
    folder: async (name) => {
      await mkdir(join(root, name), { recursive: true });
      return join(root, name);
    },
    start,
    boot: (settings, options) => start(settings, options).result,
    remove: async () => {
      await rm(root, { recursive: true, force: true });
      await remote.remove();
    },
  };
}

/** What the program printed, of a boot that must have gone well. */
export function booted(result: BootResult): Booted {
  if (result.code !== 0) throw new Error(`the boot ended with ${result.code ?? result.signal}: ${result.stderr}`);
  return JSON.parse(result.stdout) as Booted;
}

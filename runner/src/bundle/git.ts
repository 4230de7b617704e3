import { setTimeout as delay } from 'node:timers/promises';
import { ATTEMPT_ENVIRONMENT } from '@agentrun/lib/contract';
import { spawnGroup } from '@agentrun/lib/processes';
import { BackendFailure } from '../backends/backend-failure.ts';
import type { GitAccess } from './git-credential.ts';
import type { GitProtocol } from './repository-url.ts';

/** What git may take over from the variables around the runner. */
const KEPT = ['PATH', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'];
const PROXIES = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
];

/** Nothing that a fetched repository holds is run, and nobody is asked. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.autocrlf', 'false'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['credential.helper', ''],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  // Objects come as packs: loose ones would be written over whatever stands at 256 other paths.
  ['fetch.unpackLimit', '1'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['advice.detachedHead', 'false'],
  ['protocol.version', '2'],
  // A server that says nothing for a minute is given up.
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '60'],
];

const STDOUT_BYTES = 32 * 1024 * 1024;
const STDERR_BYTES = 16 * 1024;
const TERM_MS = 1000;

export interface GitOptions {
  readonly cwd: string;
  /** The variables around the runner. */
  readonly around: Readonly<Record<string, string | undefined>>;
  readonly attemptId: string;
  /** A folder of our own, HOME of git. */
  readonly scratch: string;
  readonly signal: AbortSignal;
  /** What git may speak; default nothing. */
  readonly protocols?: readonly GitProtocol[];
  readonly access?: GitAccess;
  /** Such as GIT_DIR. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface GitOutput {
  readonly code: number;
  readonly stdout: string;
  /** Its last words. */
  readonly stderr: string;
}

/**
 * Runs git in an environment that reads nobody's settings.
 *
 * @throws BackendFailure `infra-failed` when there is no git; the reason of the signal, when git was ended by it
 */
export async function git(args: readonly string[], options: GitOptions): Promise<GitOutput> {
  const { cwd, signal } = options;
  signal.throwIfAborted();
  const group = await spawnGroup(['git', ...args], {
    cwd,
    env: environmentOf(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (!group.started)
    throw new BackendFailure('infra-failed', `git is needed for the resource bundle: ${group.message}`);
  const out: Buffer[] = [];
  let outBytes = 0;
  let err = Buffer.alloc(0);
  group.stdout?.on('data', (chunk: Buffer) => {
    outBytes += chunk.length;
    if (outBytes <= STDOUT_BYTES) out.push(chunk);
  });
  group.stderr?.on('data', (chunk: Buffer) => {
    err = Buffer.concat([err, chunk]).subarray(-STDERR_BYTES);
  });
  const end = (): void => {
    group.terminate();
    const kill = setTimeout(() => group.kill(), TERM_MS);
    void group.exited.then(() => clearTimeout(kill));
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const { code, signal: endedBy } = await group.exited;
  signal.removeEventListener('abort', end);
  // Helpers of git that live on may hold the pipes.
  await Promise.race([group.closed, delay(TERM_MS)]);
  group.kill();
  signal.throwIfAborted();
  const stderr = err.toString('utf8').trim();
  return { code: code ?? 128, stdout: Buffer.concat(out).toString('utf8'), stderr: stderr || (endedBy ?? '') };
}

function environmentOf(options: GitOptions): Record<string, string> {
  const { around, attemptId, scratch, protocols = [], access, variables } = options;
  const kept: Record<string, string> = {};
  for (const name of [...KEPT, ...PROXIES]) {
    const value = around[name];
    if (value !== undefined && value !== '') kept[name] = value;
  }
  const settings = [...SETTINGS, ...(access?.settings ?? [])];
  const numbered = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    ...kept,
    HOME: scratch,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    SSH_ASKPASS: 'true',
    // None would mean all; this one does not exist.
    GIT_ALLOW_PROTOCOL: protocols.length === 0 ? 'none' : protocols.join(':'),
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(numbered),
    ...access?.environment,
    ...variables,
    [ATTEMPT_ENVIRONMENT.id]: attemptId,
  };
}

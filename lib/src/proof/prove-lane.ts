import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { AgentRunError } from '../errors.ts';
import type { RenderedLane } from '../render/render-lane.ts';
import { environmentTitle, PROOF_ENVIRONMENTS, type ProofEnvironment } from './environments.ts';
import type { ProofAnswer, ProofTask, Rendering } from './worker.ts';

/** How much was compared before a lane counted as deterministic. */
export interface Proof {
  /** Number of environments, each a process of its own. */
  readonly environments: number;
  /** Number of renderings that were compared. */
  readonly renderings: number;
}

/** How a lane is proved. */
export interface ProveOptions {
  /** The compiled worker; default the one beside this file. */
  readonly worker?: URL;
}

/**
 * Shows that a lane renders to the same bytes everywhere: it is rendered in 24 processes that differ in locale, time
 * zone, home, directory and umask, several times in each, with the keys of all maps in other orders, while the clock,
 * randomness, the locale, files and the environment are out of reach.
 *
 * @throws AgentRunError `not-deterministic`, naming what was used, or the file that differs and where
 */
export async function proveLane(rendered: RenderedLane, options: ProveOptions = {}): Promise<Proof> {
  const worker = options.worker ?? new URL('./worker.js', import.meta.url);
  const answers: (readonly Rendering[])[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < PROOF_ENVIRONMENTS.length; at = next++) {
      const environment = PROOF_ENVIRONMENTS[at];
      if (environment === undefined) return;
      const answer = await renderIn(environment, rendered, worker);
      if ('forbidden' in answer) throw failure(rendered, `the renderer used ${answer.forbidden}`);
      answers[at] = answer.renderings;
      // All before it have been started, so that the first one that differs is among the answers.
      if (firstDifference(answers) !== undefined) next = PROOF_ENVIRONMENTS.length;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
  } finally {
    // After a failure no further process is started.
    next = PROOF_ENVIRONMENTS.length;
  }
  const difference = firstDifference(answers);
  if (difference !== undefined) throw failure(rendered, difference);
  return { environments: PROOF_ENVIRONMENTS.length, renderings: answers.flat().length };
}

/** In the order of the environments, so that a difference is told the same way each time; nothing before the first has answered. */
function firstDifference(answers: readonly (readonly Rendering[] | undefined)[]): string | undefined {
  const expected = answers[0]?.[0];
  if (expected === undefined) return undefined;
  for (const [at, environment] of PROOF_ENVIRONMENTS.entries()) {
    for (const rendering of answers[at] ?? []) {
      const differing = differingKey(expected, rendering);
      if (differing !== undefined) {
        return `${differing} differs between two renderings, in ${environmentTitle(environment)}`;
      }
    }
  }
  return undefined;
}

const failure = ({ lane }: RenderedLane, what: string): AgentRunError =>
  new AgentRunError('not-deterministic', `lane ${lane.version}: ${what}`);

function differingKey(a: Rendering, b: Rendering): string | undefined {
  return [...Object.keys(a), ...Object.keys(b)].find((key) => a[key] !== b[key]);
}

async function renderIn(
  environment: ProofEnvironment,
  { lane, input }: RenderedLane,
  worker: URL,
): Promise<ProofAnswer> {
  const child = spawn(process.execPath, [fileURLToPath(worker)], {
    cwd: environment.cwd,
    env: { PATH: process.env['PATH'] ?? '', ...environment.variables },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // A worker that dies at once leaves its input unread; its end tells more than the broken pipe.
  child.stdin.on('error', () => {});
  const task: ProofTask = { lane, input, umask: environment.umask, seed: environment.seed };
  child.stdin.end(JSON.stringify(task));
  const [code, output, trouble] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code !== 0) {
    throw new AgentRunError(
      'internal',
      `a process of the proof ended with ${code}: ${trouble.trim().split('\n').slice(-8).join(' ')}`,
    );
  }
  return JSON.parse(output) as ProofAnswer;
}

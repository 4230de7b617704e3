import { createGitRemote, type GitRemote } from './git-remote.ts';
import { type CommandResult, type LaneRepository, laneRepository } from './lane-repository.ts';
import { type LaneVariant, laneFileOf, laneText, REPOSITORY_URL } from './publish-lanes.ts';

/** The options that name an image. */
export const IMAGE = ['--image-digest', `sha256:${'ab'.repeat(32)}`, '--env-identity', 'env-1'] as const;

interface JsonReport {
  readonly formatVersion: number;
  readonly command: string;
  readonly ok: boolean;
  readonly lanes: readonly { lane: string; status: string; commit?: string; filesDigest?: string; files?: string[] }[];
  readonly problems: readonly { code: string; severity: string; message: string; file?: string; hint?: string }[];
}

/** A repository with lanes, a bare remote for their branches, and the command line in between. */
export interface CommandSetup {
  readonly lanes: LaneRepository;
  readonly remote: GitRemote;
  /** Runs a command with `--remote`. */
  readonly run: (command: string, ...args: string[]) => Promise<CommandResult>;
  /** The same with `--format json`, and what it printed, read. */
  readonly json: (command: string, ...args: string[]) => Promise<JsonReport & { readonly code: number }>;
  /** Writes lane files and commits them. */
  readonly commit: (...variants: readonly LaneVariant[]) => string;
  /** The files of a branch. */
  readonly files: (branch: string) => Promise<string[]>;
  /** One file of a branch. */
  readonly show: (branch: string, path: string) => Promise<string>;
  readonly remove: () => Promise<void>;
}

/** Begins with the good lane, v0.1, whose branch is v0.1-gitops. */
export async function commandSetup({ origin = REPOSITORY_URL }: { origin?: string } = {}): Promise<CommandSetup> {
  const lanes = laneRepository({ remote: origin });
  const remote = await createGitRemote();
  const run: CommandSetup['run'] = (command, ...args) => lanes.agentrun(command, ...args, '--remote', remote.dir);
  return {
    lanes,
    remote,
    run,
    async json(command, ...args) {
      const { stdout, code } = await run(command, ...args, '--format', 'json');
      return { ...(JSON.parse(stdout) as JsonReport), code };
    },
    commit(...variants) {
      for (const variant of variants) lanes.write(laneFileOf(variant.number), laneText(variant));
      return lanes.commit();
    },
    files: async (branch) => (await remote.git(['ls-tree', '-r', '--name-only', branch])).split('\n'),
    show: (branch, path) => remote.git(['show', `${branch}:${path}`]),
    async remove() {
      lanes.remove();
      await remote.remove();
    },
  };
}

import { resolve } from 'node:path';
import type { Signing } from '@agentrun/lib';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** How a branch is written, in every command that writes one. */
export interface BranchWriteOptions {
  readonly remote?: string;
  readonly branch?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly sign?: string;
  readonly signFormat: Signing['format'];
  readonly author?: string;
  readonly deadline: number;
}

export function withBranchWriteOptions(command: Command): Command {
  return command
    .option('--remote <remote>', 'path or URL to push to; default: gitMirror.writeUrl of the lane')
    .option('--branch <branch>', 'branch to write; default: gitops.branch of the lane')
    .option('--dry-run', 'print the difference, push nothing')
    .option('--force', 'overwrite and remove files that somebody else wrote or edited')
    .option('--sign <key>', 'sign the commit: path of an ssh key, or id of a GPG key')
    .addOption(new Option('--sign-format <format>', 'kind of the key').choices(['ssh', 'openpgp']).default('ssh'))
    .option('--author <author>', 'author and committer, as "Name <email>"', parseAuthor)
    .option('--deadline <seconds>', 'how long other publishers may keep us waiting', parseSeconds, 60);
}

/** The options as the library takes them; git runs elsewhere, so the path of a key is made absolute. */
export const branchWrite = (options: BranchWriteOptions, cwd: string) => ({
  cwd,
  dryRun: options.dryRun === true,
  force: options.force === true,
  deadlineMs: options.deadline * 1000,
  ...(options.author === undefined ? {} : { author: options.author }),
  ...signingOf(options, cwd),
});

function signingOf({ sign, signFormat }: BranchWriteOptions, cwd: string): { signing?: Signing } {
  if (sign === undefined) return {};
  return { signing: { key: signFormat === 'ssh' ? resolve(cwd, sign) : sign, format: signFormat } };
}

function parseAuthor(text: string): string {
  if (!/^[^<>\n]+ <[^<>\s]+>$/.test(text)) throw new InvalidArgumentError('write it as "Name <email>".');
  return text;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^[0-9]+$/.test(text) || seconds < 1 || seconds > 86_400)
    throw new InvalidArgumentError('give seconds, 1 to 86400.');
  return seconds;
}

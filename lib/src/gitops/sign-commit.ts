import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentRunError } from '../errors.ts';
import { type Git, GitFailure } from './git.ts';
import type { CommitRequest } from './write-commit.ts';

/** Who signs, and with what. */
export interface Signing {
  readonly format: 'ssh' | 'openpgp';
  /** Path of an ssh key, private or public with an agent that holds the other half; or the id of a GPG key. */
  readonly key: string;
}

/**
 * Makes a commit again with a signature, and verifies the signature before anybody can see the commit.
 *
 * @throws AgentRunError `signing-failed`; no unsigned commit takes its place
 */
export async function signCommit(
  git: Git,
  unsigned: string,
  request: CommitRequest,
  signing: Signing,
): Promise<string> {
  const [, name = '', email = ''] = /^(.*) <(.*)>$/.exec(request.author) ?? [];
  const dated = git.with(
    Object.fromEntries(
      ['GIT_AUTHOR', 'GIT_COMMITTER'].flatMap((who) => [
        [`${who}_NAME`, name],
        [`${who}_EMAIL`, email],
        // With "@" it is seconds, however few they are.
        [`${who}_DATE`, `@${request.date}`],
      ]),
    ),
  );
  const how = ['-c', `gpg.format=${signing.format}`, '-c', `user.signingKey=${signing.key}`];
  const parents = request.parent === undefined ? [] : ['-p', request.parent];
  try {
    const made = await dated.text([...how, 'commit-tree', '-S', ...parents, `${unsigned}^{tree}`], request.message);
    const signed = made.trim();
    if (signing.format === 'openpgp') await git.text(['verify-commit', '--raw', signed]);
    else await verifySshSignature(git, signed, await publicKey(signing.key), email);
    return signed;
  } catch (error) {
    if (error instanceof AgentRunError) throw error;
    const why = error instanceof GitFailure || error instanceof Error ? error.message : String(error);
    throw new AgentRunError('signing-failed', `the commit could not be signed with ${signing.key}: ${why}`, {
      cause: error,
    });
  }
}

/** The public half: the file itself where it is one, else the one beside the private key. */
async function publicKey(path: string): Promise<string> {
  const own = await readFile(path, 'utf8');
  return /^(?:ssh-|ecdsa-|sk-)/.test(own) ? own.trim() : (await readFile(`${path}.pub`, 'utf8')).trim();
}

async function verifySshSignature(git: Git, commit: string, key: string, email: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'agentrun-signers-'));
  try {
    const signers = join(folder, 'allowed');
    await writeFile(signers, `${email} namespaces="git" ${key.split(' ').slice(0, 2).join(' ')}\n`);
    await git.text(['-c', `gpg.ssh.allowedSignersFile=${signers}`, 'verify-commit', '--raw', commit]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

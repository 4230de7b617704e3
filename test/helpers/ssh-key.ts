import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** A key without a passphrase, and the file that lets it sign. */
export interface SshKey {
  /** The private half. */
  readonly path: string;
  /** Allowed signers: this key, as the author of publish commits. */
  readonly signers: string;
}

const KEYGEN = 'ssh-keygen';

/** Makes a key at a path, with its other files beside it. */
export function sshKey(path: string): SshKey {
  execFileSync(KEYGEN, ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path]);
  const signers = `${path}.signers`;
  writeFileSync(signers, `agentrun@localhost namespaces="git" ${readFileSync(`${path}.pub`, 'utf8')}`);
  return { path, signers };
}

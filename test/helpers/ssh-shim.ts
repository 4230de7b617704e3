import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One call of ssh. */
export interface SshCall {
  /** Without the remote command, which is the last argument. */
  readonly arguments: readonly string[];
  readonly command: string;
  /** What the shim saw of the files that it was given, a line each: see {@link sshShim}. */
  readonly seen: readonly string[];
  /** What the real ssh makes of the arguments, as `ssh -G` prints it; empty where there is none. */
  readonly settings: readonly string[];
}

const realSsh = (): string => spawnSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).stdout.trim() || 'true';

/**
 * A program "ssh" that writes its calls down below `root` and runs the remote command on this machine, as a server
 * would. For each `-i` it notes the mode, the path and the fingerprint of the key, for the known hosts the mode, the
 * path and the text; it fails for a key that the real ssh could not read.
 */
export const sshShim = (root: string): string => `#!/bin/sh
set -eu
call='${root}/ssh-calls/'$(date +%s%N)
mkdir -p "$call"
for command; do :; done
printf '%s\\n' "$@" >"$call/arguments"
printf '%s' "$command" >"$call/command"
before=
for argument; do
  case $before in
    -i)
      stat -c '%a %n' "$argument"
      ssh-keygen -yf "$argument" >"$call/public"
      ssh-keygen -lf "$call/public"
      ;;
  esac
  case $argument in
    UserKnownHostsFile=*)
      stat -c '%a %n' "\${argument#*=}"
      cat "\${argument#*=}"
      ;;
  esac
  before=$argument
done >"$call/seen"
${realSsh()} -G "$@" >"$call/settings"
exec sh -c "$command"
`;

/** The calls so far, oldest first. */
export function sshCalls(root: string): SshCall[] {
  const folder = join(root, 'ssh-calls');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const read = (file: string) => readFileSync(join(folder, name, file), 'utf8');
      const lines = (file: string) => read(file).trimEnd().split('\n');
      return {
        arguments: lines('arguments').slice(0, -1),
        command: read('command'),
        seen: lines('seen'),
        settings: lines('settings'),
      };
    });
}

import { accessSync, constants, statSync } from 'node:fs';
import { errorCode, printable } from './process-entry.ts';

/** Why a command could not be started. */
export type SpawnFailureCode =
  | 'not-found'
  | 'not-executable'
  | 'folder-missing'
  | 'invalid-arguments'
  | 'out-of-resources'
  | 'failed';

/** Why a program was not started. */
export interface SpawnFailure {
  readonly started: false;
  readonly code: SpawnFailureCode;
  /** A sentence with the command's first word; never its arguments. */
  readonly message: string;
  /** Whether the same start can succeed later without a change. */
  readonly retryable: boolean;
}

/** Says in words why the system refused to start a command. */
export function spawnFailure(command: string, cwd: string, error: unknown): SpawnFailure {
  const name = JSON.stringify(printable(command));
  const fail = (code: SpawnFailureCode, message: string, retryable = false): SpawnFailure => ({
    started: false,
    code,
    message,
    retryable,
  });
  const code = errorCode(error);
  if ((code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') && !isOpenFolder(cwd)) {
    return fail('folder-missing', `could not start ${name}: its folder ${JSON.stringify(cwd)} cannot be entered`);
  }
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return fail('not-found', `could not start ${name}: there is no such command, or its interpreter is missing`);
    case 'EACCES':
      return fail('not-executable', `could not start ${name}: it is not executable, or may not be read`);
    case 'E2BIG':
      return fail('invalid-arguments', `could not start ${name}: its arguments and environment are too long`);
    case 'ERR_INVALID_ARG_VALUE':
    case 'ERR_INVALID_ARG_TYPE':
      return fail('invalid-arguments', `could not start ${name}: an argument is empty or has a NUL character`);
    case 'EAGAIN':
    case 'ENOMEM':
    case 'EMFILE':
    case 'ENFILE':
      return fail(
        'out-of-resources',
        `could not start ${name}: the machine lacks processes, memory or files (${code})`,
        true,
      );
    default:
      return fail('failed', `could not start ${name}: ${code ?? 'unknown error'}`);
  }
}

function isOpenFolder(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

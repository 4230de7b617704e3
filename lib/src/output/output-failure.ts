import { AgentRunError } from '../errors.ts';

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'it is in use, for example as a mount point',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'something else stands there',
  EIO: 'the disk reports a fault',
  EISDIR: 'a directory stands where a file is needed',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'a folder vanished while it was used',
  ENOSPC: 'the disk is full',
  ENOTEMPTY: 'something was put there meanwhile',
  ENOTDIR: 'a part of the path is not a directory',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
};

/** Whether a system call found nothing at its path. */
export function isMissing(error: unknown): boolean {
  return systemCode(error) === 'ENOENT';
}

/** The code of a failed system call, for example `ENOSPC`; an empty string for any other error. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** A file of the output that could not be written; `cause` is the failed system call. */
export class FileFailure extends Error {
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`Could not write ${path}.`, { cause });
    this.name = 'FileFailure';
    this.path = path;
  }
}

/** The `output-write` error for whatever stopped the write; an error for people is given back as it is. */
export function outputFailure(directory: string, error: unknown): AgentRunError {
  if (error instanceof AgentRunError) return error;
  const cause = error instanceof FileFailure ? error.cause : error;
  const inFile = error instanceof FileFailure ? `, file ${JSON.stringify(error.path)}` : '';
  const message = `Could not write the output ${JSON.stringify(directory)}${inFile}: ${reason(cause)}.`;
  return new AgentRunError('output-write', message, { cause });
}

function reason(cause: unknown): string {
  const code = systemCode(cause);
  const words = WORDS[code];
  if (words === undefined) return cause instanceof Error ? cause.message : String(cause);
  const call =
    cause instanceof Error && 'syscall' in cause && typeof cause.syscall === 'string' ? `, ${cause.syscall}` : '';
  const path = cause instanceof Error && 'path' in cause && typeof cause.path === 'string' ? ` ${cause.path}` : '';
  return `${words} (${code}${call}${path})`;
}

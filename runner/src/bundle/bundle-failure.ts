import { BackendFailure, saysDiskFull } from '../backends/backend-failure.ts';

/** A part of the bundle that a person must correct. */
export function invalidBundle(message: string, options?: ErrorOptions): BackendFailure {
  return new BackendFailure('resource-bundle-invalid', message, options);
}

/** A failed file operation in words; what is wrong with the bundle is told apart from what is wrong with the disk. */
export function fileFailure(error: unknown, doing: string): BackendFailure {
  if (error instanceof BackendFailure) return error;
  const code = (error as NodeJS.ErrnoException | null)?.code ?? 'unknown error';
  const message = `${doing}: ${code}`;
  if (saysDiskFull(code)) return new BackendFailure('disk-full', message, { cause: error });
  const isInTheWay = ['ENOTDIR', 'EISDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG'].includes(code);
  return isInTheWay
    ? invalidBundle(message, { cause: error })
    : new BackendFailure('infra-failed', message, { cause: error });
}

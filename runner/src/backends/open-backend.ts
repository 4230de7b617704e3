import type { Backend, BackendContext, BackendSession } from './backend.ts';
import { BackendFailure } from './backend-failure.ts';
import { codexBackend } from './codex/codex-backend.ts';
import { COMMAND_BACKEND } from './command/command-backend.ts';

/** The backends of this runner. */
const RUNNER_BACKENDS: readonly Backend[] = [codexBackend(), COMMAND_BACKEND];

/**
 * Opens the backend that the profile names.
 *
 * @throws BackendFailure as {@link Backend.open}; `profile-invalid` for a backend that this runner does not have
 */
export function openBackend(context: BackendContext): Promise<BackendSession> {
  const { name, config } = context.profile;
  const backend = RUNNER_BACKENDS.find((known) => known.name === config.backend);
  if (backend !== undefined) return backend.open(context);
  const has = RUNNER_BACKENDS.map((known) => known.name).join(', ');
  const what = `profile ${name} names the backend "${config.backend}", which this runner does not have; it has ${has}`;
  return Promise.reject(new BackendFailure('profile-invalid', what));
}

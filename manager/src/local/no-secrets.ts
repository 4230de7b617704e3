import { Failure } from '../failure.ts';
import type { SecretStore } from './secret-store.ts';

/** A manager without a secret store: nothing is configured, and nothing can be. */
export function noSecrets(): SecretStore {
  const refuse = async () => {
    throw new Failure('unavailable', 'this manager has no secret store: the one of Kubernetes is not in this version');
  };
  return {
    read: async () => null,
    write: refuse,
    writeOnce: refuse,
    remove: async () => undefined,
    keys: async () => [],
  };
}

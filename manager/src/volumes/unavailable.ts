import { Failure } from '../failure.ts';
import type { Volumes } from './volumes.ts';

/** Volumes where this version knows none: whoever asks for one is told so. */
export function unavailableVolumes(): Volumes {
  const refuse = () => {
    throw new Failure(
      'unavailable',
      'this manager cannot make volumes: placement kubernetes-job is not in this version',
    );
  };
  return {
    create: async () => refuse(),
    measure: async () => refuse(),
    evict: async () => refuse(),
    list: async () => refuse(),
    purge: async () => refuse(),
    folders: refuse,
    changes: async () => refuse(),
    file: async () => refuse(),
    ephemeral: async () => refuse(),
  };
}

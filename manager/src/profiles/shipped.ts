import { PROFILE_DATA, type ShippedProfile } from '@agentrun/lib/contract';
import { Failure } from '../failure.ts';
import type { Profiles } from './profiles.ts';

const DATA: Readonly<Record<string, ShippedProfile>> = PROFILE_DATA;

/** The profiles that AgentRun ships, as they are, without credentials. */
export function shippedProfiles(): Profiles {
  return {
    has: (name) => Object.hasOwn(DATA, name),
    forAttempt: async (name) => {
      const shipped = Object.hasOwn(DATA, name) ? DATA[name] : undefined;
      if (shipped === undefined) throw new Failure('profile-invalid', `there is no profile "${name}"`);
      return { profile: { name, config: shipped.config, credential: { kind: 'none' } }, credential: {} };
    },
  };
}

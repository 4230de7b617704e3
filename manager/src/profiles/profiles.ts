import type { ProfileFile } from '@agentrun/lib/contract';

/** The provider profiles that runs may name. */
export interface Profiles {
  has(name: string): boolean;
  /** What an attempt of the profile is started with: the profile, and the files of its credential. */
  forAttempt(
    name: string,
  ): Promise<{ readonly profile: ProfileFile; readonly credential: Readonly<Record<string, string>> }>;
}

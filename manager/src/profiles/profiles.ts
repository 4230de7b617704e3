import type { CredentialKind, ProfileConfig, ProfileCredential, ProfileFile } from '@agentrun/lib/contract';

/** A provider profile, with what is known of its credential but not the credential. */
export interface Profile {
  readonly name: string;
  readonly title: string;
  readonly config: ProfileConfig;
  /** Shipped ones can be changed, and restored by removing the change. */
  readonly shipped: boolean;
  readonly changed: boolean;
  /** When the change was made; null for a shipped one as it is. */
  readonly updatedAt: Date | null;
  readonly credential: {
    readonly kind: CredentialKind;
    readonly configured: boolean;
    readonly updatedAt: string | null;
  };
}

/** The provider profiles that runs may name. */
export interface Profiles {
  has(name: string): Promise<boolean>;
  list(): Promise<readonly Profile[]>;
  /** Undefined when there is none. */
  find(name: string): Promise<Profile | undefined>;
  setConfig(name: string, config: ProfileConfig): Promise<void>;
  setCredential(name: string, credential: ProfileCredential): Promise<void>;
  /** Removes what was changed or added, the credential too; false when there was nothing. */
  remove(name: string): Promise<boolean>;
  /**
   * What an attempt of the profile is started with: the profile, and the files of its credential.
   *
   * @throws Failure `profile-invalid`
   */
  forAttempt(
    name: string,
  ): Promise<{ readonly profile: ProfileFile; readonly credential: Readonly<Record<string, string>> }>;
}

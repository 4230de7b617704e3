import {
  API_KEY_FILE,
  PROFILE_DATA,
  type ProfileCredential,
  SHIPPED_PROFILES,
  type ShippedProfile,
} from '@agentrun/lib/contract';
import type { Pool } from 'pg';
import { Failure } from '../failure.ts';
import type { SecretStore } from '../local/secret-store.ts';
import { type BackendRow, deleteBackend, findBackend, listBackends, putBackend } from '../store/backends.ts';
import type { Profile, Profiles } from './profiles.ts';

const SHIPPED: Readonly<Record<string, ShippedProfile>> = PROFILE_DATA;

/** What a secret holds: the credential, and when it was set. */
interface StoredCredential {
  readonly kind: 'api-key';
  readonly value: string;
  readonly updatedAt: string;
}

export interface StoredProfilesOptions {
  readonly pool: Pool;
  readonly secrets: SecretStore;
  readonly namespace: string;
  /** The Secret of the credentials, with a key for each profile. */
  readonly secretName: string;
  /** Told every value that must not be shown. */
  readonly onSecret: (value: string) => void;
}

/** The shipped profiles under what the database says; credentials in the secret store. */
export function storedProfiles({ pool, secrets, namespace, secretName, onSecret }: StoredProfilesOptions): Profiles {
  const credentialOf = async (name: string): Promise<StoredCredential | null> => {
    const text = await secrets.read(namespace, secretName, name);
    if (text === null) return null;
    const stored = JSON.parse(text) as StoredCredential;
    onSecret(stored.value);
    return stored;
  };

  const profileOf = async (name: string, row: BackendRow | undefined): Promise<Profile | undefined> => {
    const shipped = Object.hasOwn(SHIPPED, name) ? SHIPPED[name] : undefined;
    const config = row?.config ?? shipped?.config;
    if (config === undefined) return undefined;
    const credential = await credentialOf(name);
    return {
      name,
      title: shipped?.title ?? name,
      config,
      shipped: shipped !== undefined,
      changed: row !== undefined || credential !== null,
      updatedAt: row?.updated_at ?? null,
      credential: {
        kind: credential?.kind ?? shipped?.credential ?? 'none',
        configured: credential !== null,
        updatedAt: credential?.updatedAt ?? null,
      },
    };
  };

  const find = async (name: string) => await profileOf(name, await findBackend(pool, name));

  return {
    has: async (name) => Object.hasOwn(SHIPPED, name) || (await findBackend(pool, name)) !== undefined,
    list: async () => {
      const rows = new Map((await listBackends(pool)).map((row) => [row.profile, row]));
      const names = [...new Set([...SHIPPED_PROFILES, ...rows.keys()])].sort();
      const found = await Promise.all(names.map((name) => profileOf(name, rows.get(name))));
      return found.filter((profile) => profile !== undefined);
    },
    find,
    setConfig: async (name, config) => await putBackend(pool, name, config),
    setCredential: async (name, credential: ProfileCredential) => {
      if (credential.kind === 'none') {
        await secrets.remove(namespace, secretName, name);
        return;
      }
      onSecret(credential.value);
      const stored: StoredCredential = { ...credential, updatedAt: new Date().toISOString() };
      await secrets.write(namespace, secretName, name, JSON.stringify(stored));
    },
    remove: async (name) => {
      const hadConfig = await deleteBackend(pool, name);
      const hadCredential = (await secrets.read(namespace, secretName, name)) !== null;
      await secrets.remove(namespace, secretName, name);
      return hadConfig || hadCredential;
    },
    forAttempt: async (name) => {
      const profile = await find(name);
      if (profile === undefined) throw new Failure('profile-invalid', `there is no profile "${name}"`);
      const credential = await credentialOf(name);
      const kind = credential === null ? ('none' as const) : credential.kind;
      return {
        profile: { name, config: profile.config, credential: { kind } },
        credential: credential === null ? {} : { [API_KEY_FILE]: credential.value },
      };
    },
  };
}

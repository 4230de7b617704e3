import { BACKEND_CAPABILITIES, BACKENDS, type ProfileConfig, type ProfileCredential } from '@agentrun/lib/contract';
import { Failure } from '../failure.ts';
import { invalidField } from '../invalid-field.ts';
import type { Profile } from '../profiles/profiles.ts';
import { isoOrNull } from '../store/time.ts';
import type { Manager } from './manager.ts';

/** What AgentRun can drive, and by which profiles. */
export async function backends(manager: Manager) {
  const profiles = await manager.profiles.list();
  return {
    items: BACKENDS.map((backend) => ({
      backend,
      ...BACKEND_CAPABILITIES[backend],
      profiles: profiles.filter(({ config }) => config.backend === backend).map(({ name }) => name),
    })),
    valuesPrinted: false as const,
  };
}

export function profileRecord(profile: Profile) {
  const { name, title, config, shipped, changed, updatedAt, credential } = profile;
  return {
    name,
    title,
    backend: config.backend,
    model: config.model ?? null,
    shipped,
    changed,
    updatedAt: isoOrNull(updatedAt),
    credential: { ...credential, valuesPrinted: false as const },
    valuesPrinted: false as const,
  };
}

/** @throws Failure `not-found` */
export async function profileNamed(manager: Manager, name: string): Promise<Profile> {
  const profile = await manager.profiles.find(name);
  if (profile === undefined) throw new Failure('not-found', `there is no profile "${name}"`);
  return profile;
}

export async function profileConfig(manager: Manager, name: string) {
  const { config, updatedAt } = await profileNamed(manager, name);
  return { profile: name, config, updatedAt: isoOrNull(updatedAt), valuesPrinted: false as const };
}

/** Names of variables that hold secrets, by their last word. */
const SECRET_NAME = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$/i;

/**
 * Changes a profile, or adds one. Runs that are open go on with what they have.
 *
 * @throws Failure `schema-invalid` for a backend that this version does not drive, a command without its argv, and
 *   variables that hold secrets: those belong into the credential
 */
export async function setProfileConfig(manager: Manager, name: string, config: ProfileConfig) {
  if (!BACKEND_CAPABILITIES[config.backend].available) {
    const known = BACKENDS.filter((backend) => BACKEND_CAPABILITIES[backend].available).join(', ');
    throw invalidField('body.backend', `is not driven by this version, which knows ${known}`, config.backend);
  }
  if (config.backend === 'command' && config.command === undefined) {
    throw invalidField('body.command', 'is missing: the backend "command" needs a program and its arguments');
  }
  for (const [variable, value] of Object.entries(config.env ?? {})) {
    if (variable.startsWith('AGENTRUN_'))
      throw invalidField(`body.env.${variable}`, 'begins with AGENTRUN_, which is ours');
    if (SECRET_NAME.test(variable) || manager.redact.finds(value)) {
      throw invalidField(`body.env.${variable}`, 'looks like a secret: put it into the credential of the profile');
    }
  }
  await manager.profiles.setConfig(name, config);
  return { action: 'provider-profile-config-set' as const, ...(await profileConfig(manager, name)) };
}

/** Sets or, with kind `none`, removes the credential. Its value is never answered. */
export async function setProfileCredential(manager: Manager, name: string, credential: ProfileCredential) {
  await profileNamed(manager, name);
  await manager.profiles.setCredential(name, credential);
  const { credential: now } = await profileNamed(manager, name);
  return {
    action: 'provider-profile-credential-set' as const,
    profile: name,
    kind: now.kind,
    configured: now.configured,
    updatedAt: now.updatedAt,
    valuesPrinted: false as const,
  };
}

/** Removes an added profile; of a shipped one removes what was changed, the credential too. */
export async function removeProfile(manager: Manager, name: string) {
  const { shipped } = await profileNamed(manager, name);
  const removed = await manager.profiles.remove(name);
  return {
    action: shipped ? ('provider-profile-restored' as const) : ('provider-profile-removed' as const),
    profile: name,
    removed,
    valuesPrinted: false as const,
  };
}

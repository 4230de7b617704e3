import {
  ID_PATTERN,
  PROFILE_CONFIG,
  PROFILE_CREDENTIAL,
  PROFILE_NAME,
  type ProfileConfig,
  type ProfileCredential,
} from '@agentrun/lib/contract';
import type { ManagerServer } from '../http/server.ts';
import {
  backends,
  profileConfig,
  profileNamed,
  profileRecord,
  removeProfile,
  setProfileConfig,
  setProfileCredential,
} from '../services/provider-profiles.ts';
import { beginValidation, validation } from '../services/validate-profile.ts';
import { RECORD } from './answers.ts';
import type { Serving } from './serving.ts';

const PARAMS = {
  type: 'object',
  additionalProperties: false,
  required: ['profile'],
  properties: { profile: PROFILE_NAME },
} as const;

const VALIDATION_PARAMS = {
  ...PARAMS,
  required: ['profile', 'validationId'],
  properties: { ...PARAMS.properties, validationId: { type: 'string', pattern: ID_PATTERN } },
} as const;

export function providerProfileRoutes(app: ManagerServer, serving: Serving): void {
  const schema = { params: PARAMS, response: { 200: RECORD } };

  app.get('/api/v1/backends', { schema: { response: { 200: RECORD } } }, async () => await backends(serving));

  app.get('/api/v1/provider-profiles', { schema: { response: { 200: RECORD } } }, async () => {
    const items = (await serving.profiles.list()).map(profileRecord);
    return { items, count: items.length, valuesPrinted: false };
  });

  app.get('/api/v1/provider-profiles/:profile', { schema }, async ({ params }) =>
    profileRecord(await profileNamed(serving, params.profile)),
  );

  app.delete(
    '/api/v1/provider-profiles/:profile',
    { schema },
    async ({ params }) => await removeProfile(serving, params.profile),
  );

  app.get(
    '/api/v1/provider-profiles/:profile/config',
    { schema },
    async ({ params }) => await profileConfig(serving, params.profile),
  );

  app.put(
    '/api/v1/provider-profiles/:profile/config',
    { schema: { ...schema, body: PROFILE_CONFIG } },
    async ({ params, body }) => await setProfileConfig(serving, params.profile, body as ProfileConfig),
  );

  app.put(
    '/api/v1/provider-profiles/:profile/credential',
    { schema: { ...schema, body: PROFILE_CREDENTIAL } },
    async ({ params, body }) => await setProfileCredential(serving, params.profile, body as ProfileCredential),
  );

  app.post(
    '/api/v1/provider-profiles/:profile/validate',
    { schema },
    async ({ params }) => await beginValidation(serving, params.profile),
  );

  app.get(
    '/api/v1/provider-profiles/:profile/validations/:validationId',
    { schema: { params: VALIDATION_PARAMS, response: { 200: RECORD } } },
    async ({ params }) => await validation(serving, params.profile, params.validationId),
  );
}

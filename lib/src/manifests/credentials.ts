import type { Lane } from '../lane/lane.ts';

/** The two Secrets in which the manager keeps credentials, a key for each profile or tool. */
export const providerCredentials = (lane: Lane): string =>
  `${lane.deployment.manager.serviceAccount}-provider-credentials`;
export const toolCredentials = (lane: Lane): string => `${lane.deployment.manager.serviceAccount}-tool-credentials`;

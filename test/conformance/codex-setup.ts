import type { ExecutionPolicy, ProfileConfig } from '@agentrun/lib/contract';
import type { BackendContext } from '../../runner/src/backends/backend.ts';
import { type ModelServer, startModelServer } from '../helpers/model-server.ts';
import { BackendSetup } from './backend-setup.ts';

export const KEY = 'a-key-of-the-tests-0815';

/** What a profile of codex may have otherwise in a test. */
export interface CodexOptions {
  readonly config?: Partial<ProfileConfig>;
  readonly key?: string | null;
  readonly sandbox?: NonNullable<ExecutionPolicy['sandbox']>;
  readonly context?: Partial<BackendContext>;
}

/** A session of the given codex, whose model is scripted. */
export async function codexSetup(
  executable: string,
  { config = {}, key = KEY, sandbox = 'full', context = {} }: CodexOptions = {},
): Promise<{ readonly setup: BackendSetup; readonly server: ModelServer; readonly cleanUp: () => Promise<void> }> {
  const server = await startModelServer({ key: KEY });
  const profile: ProfileConfig = {
    backend: 'codex',
    model: 'scripted-model',
    baseUrl: server.url,
    ...config,
    options: {
      executable,
      requestMaxRetries: 1,
      streamMaxRetries: 2,
      contextWindow: 200_000,
      reasoningLevels: ['low'],
      patchTool: true,
      ...config.options,
    },
  };
  const credential = key === null ? ({ kind: 'none' } as const) : ({ kind: 'api-key', value: key } as const);
  const setup = new BackendSetup({ name: 'codex', config: profile, credential }, { sandbox, ...context });
  return { setup, server, cleanUp: () => server.close() };
}

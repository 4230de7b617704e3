import type { BACKENDS } from './profile.ts';

/** What can be asked of an agent of one kind. */
export interface BackendCapabilities {
  /** How the runner speaks to it. */
  readonly protocol: string;
  /** Whether this version of AgentRun drives it; a profile of another backend is refused. */
  readonly available: boolean;
  /** Takes a text while a turn runs. */
  readonly steer: boolean;
  /** A later turn goes on with the conversation, in a new process too. */
  readonly resume: boolean;
  /** Asks a model provider, and so needs a credential as a rule. */
  readonly provider: boolean;
}

/** What each kind of agent can be asked. */
export const BACKEND_CAPABILITIES: Readonly<Record<(typeof BACKENDS)[number], BackendCapabilities>> = {
  codex: { protocol: 'codex-app-server-jsonrpc-stdio', available: true, steer: true, resume: true, provider: true },
  opencode: { protocol: 'opencode-serve-http', available: false, steer: false, resume: true, provider: true },
  acp: { protocol: 'agent-client-protocol-stdio', available: false, steer: false, resume: true, provider: true },
  claude: { protocol: 'claude-stream-json', available: false, steer: false, resume: true, provider: true },
  command: { protocol: 'stdio-lines', available: true, steer: false, resume: true, provider: false },
};

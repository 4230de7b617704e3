import type { ExecutionPolicy } from '@agentrun/lib/contract';
import type { Sandbox } from '../backend.ts';
import type { JsonObject } from '../json-rpc.ts';

/**
 * The sandbox and approvals of a turn in codex's words. `never` lets codex not even ask; with `accept` and `decline` it
 * asks to leave the sandbox, and the runner answers.
 */
export function codexPolicy(policy: ExecutionPolicy, fallback: Sandbox): JsonObject {
  return {
    approvalPolicy: policy.approvals === 'never' ? 'never' : 'on-request',
    sandboxPolicy: sandboxPolicy(policy.sandbox ?? fallback, policy.network),
  };
}

/** What a policy asks for and codex cannot hold; null when it can hold all. */
export function unheldPolicy(policy: ExecutionPolicy, fallback: Sandbox): string | null {
  const sandbox = policy.sandbox ?? fallback;
  if (policy.network || sandbox !== 'full') return null;
  return 'the policy forbids the network, but the sandbox "full" is none: commands of the agent can reach it';
}

function sandboxPolicy(sandbox: Sandbox, networkAccess: boolean): JsonObject {
  if (sandbox === 'full') return { type: 'dangerFullAccess' };
  if (sandbox === 'read-only') return { type: 'readOnly', networkAccess };
  const writable = { writableRoots: [], excludeTmpdirEnvVar: false, excludeSlashTmp: false };
  return { type: 'workspaceWrite', networkAccess, ...writable };
}

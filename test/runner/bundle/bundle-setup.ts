import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResourceBundleRef } from '@agentrun/lib/contract';
import { type BundleTarget, type Materialized, materialize } from '../../../runner/src/bundle/materialize.ts';

/** A workspace of its own, and the way to put bundles into it. */
export interface BundleWorld {
  readonly root: string;
  readonly workspace: string;
  path(...names: string[]): string;
  /** Puts a file of the credential folder. */
  credential(name: string, content: string): void;
  put(bundle: ResourceBundleRef, target?: Partial<BundleTarget>): Promise<Materialized>;
  remove(): void;
}

export function bundleWorld(): BundleWorld {
  const root = mkdtempSync(join(tmpdir(), 'agentrun-bundle-test-'));
  const workspace = join(root, 'workspace');
  mkdirSync(workspace);
  const attemptDir = join(root, 'attempt');
  mkdirSync(join(attemptDir, 'credential'), { recursive: true });
  return {
    root,
    workspace,
    path: (...names) => join(workspace, ...names),
    credential: (name, content) => writeFileSync(join(attemptDir, 'credential', name), content, { mode: 0o640 }),
    put: (bundle, target = {}) =>
      materialize(bundle, {
        workspace,
        attemptDir,
        attemptId: `att_bundle${process.pid}`,
        environment: { PATH: process.env['PATH'], SECRET_OF_THE_RUNNER: 'must-not-pass' },
        retry: { maxAttempts: 3, initialBackoffMs: 1, maxBackoffMs: 5 },
        signal: new AbortController().signal,
        ...target,
      }),
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}

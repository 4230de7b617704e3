import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from './repository-root.ts';

/** The scripts of the Pipeline's steps. */
export const STEP_SCRIPTS = join(REPOSITORY, 'templates', 'tekton');

/**
 * Makes a folder of programs that stands for the image of the Pipeline's steps, with the real `agentrun`, and gives
 * back the PATH on which a step finds them, git, ssh and Node. Programs in `more` come first.
 */
export function toolsImage(root: string, more: Readonly<Record<string, string>> = {}): string {
  const bin = join(root, 'bin');
  mkdirSync(bin, { recursive: true });
  const agentrun = `#!/bin/sh\nexec "${process.execPath}" "${join(REPOSITORY, 'synth', 'bin', 'agentrun.js')}" "$@"\n`;
  for (const [name, text] of Object.entries({ agentrun, ...more })) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  return `${bin}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
}

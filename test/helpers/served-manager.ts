import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadLane, placeholderArtifact, renderLane } from '@agentrun/lib';
import { REPOSITORY } from './repository-root.ts';

let rendered: Promise<string> | undefined;

/** What the example lane renders for the manager. */
export function renderedManager(): Promise<string> {
  rendered ??= (async () => {
    const { lane } = await loadLane(join(REPOSITORY, 'lanes', 'v0.1.yaml'));
    const sourceCommit = 'c'.repeat(40);
    const { files } = renderLane(lane, { sourceCommit, artifact: placeholderArtifact(lane, sourceCommit) });
    return files.find(({ path }) => path.endsWith('/mgr.yaml'))?.content ?? '';
  })();
  return rendered;
}

/** The address of a manager that was started, when it serves; `said` gets what it wrote to stderr. */
export function served({ stderr, pid }: ChildProcess, said: string[]): Promise<string> {
  if (stderr === null) throw new Error(`the manager ${pid} has no stderr`);
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stderr });
    lines.on('line', (line) => {
      said.push(line);
      const url = /^manager: (http\S+)$/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    lines.once('close', () => reject(new Error(`the manager ended before it served:\n${said.join('\n')}`)));
  });
}

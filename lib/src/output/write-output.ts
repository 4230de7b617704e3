import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkOutputPaths } from '../check/output-path.ts';
import { AgentRunError } from '../errors.ts';
import { filesDigest } from '../render/digest.ts';
import { deleteLeftovers } from './leftovers.ts';
import { outputFailure } from './output-failure.ts';
import type { OutputFile } from './output-file.ts';
import { withOutputLock } from './output-lock.ts';
import { outputPlace, temporaryPath } from './output-place.ts';
import { readOutputState } from './output-state.ts';
import { putInPlace } from './put-in-place.ts';
import { treeEquals, writeTree } from './tree.ts';

/** What {@link writeOutput} did. */
export interface WrittenOutput {
  /** Absolute path of the output, a symbolic link. */
  readonly directory: string;
  /** `sha256:` and 64 hex digits over the sorted paths and contents. */
  readonly digest: string;
  /** False when the output held these files already; then nothing was written. */
  readonly changed: boolean;
  /** Absolute paths of the former outputs that were removed, sorted. */
  readonly removedOld: readonly string[];
}

/**
 * Writes the files as one output that is there whole at every moment, even if the process is killed: the former one
 * before, the new one after. `directory` becomes a symbolic link to a sibling directory `.DIR.<digest12>` that holds
 * the files; one rename of a new link replaces the former output, which is then deleted. A reader that wants one output
 * for several reads opens the files below the real path of `directory`, and starts again when a file is gone.
 *
 * Missing parent directories are made. Files get mode 0644, directories 0755. Of several writers at once, the last one
 * wins whole. Throws {@link AgentRunError} with these codes, and then the former output is untouched:
 * `output-path`, `output-path-conflict` for the paths of the files; `output-directory` when something stands at
 * `directory` that is neither an empty directory nor an output of ours; `output-write` when the system refuses.
 */
export async function writeOutput(directory: string, files: readonly OutputFile[]): Promise<WrittenOutput> {
  refuseBadPaths(files);
  const place = outputPlace(directory);
  const digest = filesDigest(files);
  const unchanged = { directory: place.directory, digest, changed: false, removedOld: [] };
  try {
    const state = readOutputState(place);
    if (state.kind === 'link' && (await treeEquals(join(place.parent, state.target), files))) return unchanged;
    mkdirSync(place.parent, { recursive: true });
    const temporary = temporaryPath(place, 'tmp');
    try {
      await writeTree(temporary, files);
      const leftovers = await withOutputLock(place, () => putInPlace(place, temporary, digest, files));
      if (leftovers === null) return unchanged;
      await deleteLeftovers(leftovers.discarded);
      return { ...unchanged, changed: true, removedOld: leftovers.outputs };
    } finally {
      await deleteLeftovers([temporary]);
    }
  } catch (error) {
    throw outputFailure(place.directory, error);
  }
}

function refuseBadPaths(files: readonly OutputFile[]): void {
  const problems = checkOutputPaths(files.map((file) => file.path)).map(({ code, message }) => ({
    code,
    severity: 'error' as const,
    message,
  }));
  const [first] = problems;
  if (first !== undefined) throw new AgentRunError(first.code, first.message, { problems });
}

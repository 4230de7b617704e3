import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { AgentRunError } from '../errors.ts';
import { systemCode } from './output-failure.ts';
import { type OutputPlace, readSibling } from './output-place.ts';

/** What stands at the output: nothing, an empty directory, or our link with the name of the sibling it points at. */
export type OutputState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'empty-directory' }
  | { readonly kind: 'link'; readonly target: string };

/** Looks at the output. Throws `output-directory` when something stands there that is not ours to replace. */
export function readOutputState(place: OutputPlace): OutputState {
  for (;;) {
    const stats = entryAt(place.directory);
    if (stats === null) return { kind: 'absent' };
    if (stats.isSymbolicLink()) {
      const target = unlessChanged(() => readlinkSync(place.directory));
      if (target !== undefined) return linkState(place, target);
    } else if (stats.isDirectory()) {
      const names = unlessChanged(() => readdirSync(place.directory));
      if (names?.length === 0) return { kind: 'empty-directory' };
      // Another writer may have turned an empty directory into its link between the two looks.
      if (names !== undefined && entryAt(place.directory)?.isDirectory()) throw directoryRefusal(place, names.length);
    } else throw refusal(place, 'is a file');
  }
}

function entryAt(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

// Undefined when it was something else a moment ago: then look again.
function unlessChanged<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (!['ENOENT', 'EINVAL', 'ENOTDIR'].includes(systemCode(error))) throw error;
    return undefined;
  }
}

function directoryRefusal(place: OutputPlace, entries: number): AgentRunError {
  return refusal(
    place,
    `is a directory that AgentRun did not write, with ${entries === 1 ? 'one entry' : `${entries} entries`}`,
  );
}

function linkState(place: OutputPlace, target: string): OutputState {
  if (readSibling(place, target)?.kind === 'output') return { kind: 'link', target };
  throw refusal(place, `is a link to ${JSON.stringify(target)}, which AgentRun did not make`);
}

function refusal(place: OutputPlace, what: string): AgentRunError {
  return new AgentRunError(
    'output-directory',
    `The output ${JSON.stringify(place.directory)} ${what}; it is left as it is.`,
    {
      hint: 'Name an empty or new directory, or move away what stands there.',
    },
  );
}

import { basename, dirname, join, resolve } from 'node:path';
import { AgentRunError } from '../errors.ts';
import { newMark, type Writer, writerOfMark } from './writer.ts';

/** Where an output lives: `directory` is the symlink, everything else stands beside it in `parent`. */
export interface OutputPlace {
  /** Absolute path of the output. */
  readonly directory: string;
  /** Absolute path of the folder that holds it. */
  readonly parent: string;
  /** How the names of its siblings begin. */
  readonly prefix: string;
}

/** What a sibling is for: being written, a new link, a claim of the lock, a former output on its way out. */
export type TemporaryKind = 'tmp' | 'link' | 'lock' | 'old';

/** A name beside the output that belongs to it. */
export type Sibling = { readonly kind: 'output' } | { readonly kind: TemporaryKind; readonly writer: Writer };

/** The place of an output. Throws `output-directory` for the root of the file system. */
export function outputPlace(directory: string): OutputPlace {
  const absolute = resolve(directory);
  const name = basename(absolute);
  if (name === '') {
    throw new AgentRunError(
      'output-directory',
      `The output ${JSON.stringify(directory)} is the root of the file system.`,
    );
  }
  return { directory: absolute, parent: dirname(absolute), prefix: `.${name}.` };
}

/** The sibling that holds an output: number 1 is `.DIR.<digest12>`, later ones carry their number. */
export function outputName(place: OutputPlace, digest: string, number: number): string {
  const digest12 = digest.replace(/^sha256:/, '').slice(0, 12);
  return `${place.prefix}${digest12}${number === 1 ? '' : `-${number}`}`;
}

/** Absolute path of a new temporary; no other process makes the same. */
export function temporaryPath(place: OutputPlace, kind: TemporaryKind): string {
  return join(place.parent, `${place.prefix}${kind}-${newMark()}`);
}

/** What the name of a file beside the output says; null when it is not one of ours. */
export function readSibling(place: OutputPlace, name: string): Sibling | null {
  if (!name.startsWith(place.prefix)) return null;
  const rest = name.slice(place.prefix.length);
  if (/^[0-9a-f]{12}(?:-[1-9][0-9]{0,8})?$/.test(rest)) return { kind: 'output' };
  const match = /^(tmp|link|lock|old)-(.+)$/.exec(rest);
  const kind = match?.[1] as TemporaryKind | undefined;
  const writer = writerOfMark(match?.[2] ?? '');
  return kind === undefined || writer === null ? null : { kind, writer };
}

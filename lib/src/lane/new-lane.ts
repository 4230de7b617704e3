import { AgentRunError } from '../errors.ts';
import { laneSchema } from './schema/index.ts';

/** One line that a new lane has otherwise than the lane it was made from. */
export interface ChangedLine {
  /** From 1. */
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

/**
 * The text of a new lane: the text of another one, in which the old version, as `v0.1` and as `v01`, is replaced where
 * it stands as a word of its own. Comments and order survive. An image's tag and digest belong together: a line with a
 * digest is left as it is.
 *
 * @throws AgentRunError `usage` when the version is none, or the old one
 */
export function newLaneText(text: string, from: string, to: string): { text: string; changes: ChangedLine[] } {
  if (!new RegExp(laneSchema.properties.version.pattern).test(to)) {
    throw new AgentRunError('usage', `"${to}" is no lane version; write one such as v0.2`);
  }
  if (to === from) throw new AgentRunError('usage', `the new lane has the version of the old one, ${from}`);
  const changes: ChangedLine[] = [];
  const lines = text.split('\n').map((before, at) => {
    if (before.includes('@sha256:')) return before;
    const after = replaceWord(replaceWord(before, from, to), from.replace('.', ''), to.replace('.', ''));
    if (after !== before) changes.push({ line: at + 1, before, after });
    return after;
  });
  return { text: lines.join('\n'), changes };
}

/** A letter or digit on either side makes it part of another word; so does a further part of a version number. */
function replaceWord(line: string, from: string, to: string): string {
  const word = from.replaceAll('.', '\\.');
  return line.replace(new RegExp(`(?<![A-Za-z0-9]|[0-9]\\.)${word}(?![A-Za-z0-9]|\\.[0-9])`, 'g'), to);
}

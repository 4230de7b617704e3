import { checkOutputPaths, foldedPath } from '../check/output-path.ts';
import type { Problem } from '../errors.ts';

/**
 * Wanted paths that cannot stand beside those that stay on every file system, or that lead through a file or a link.
 * What is wrong among those that stay is nobody's business here.
 *
 * @returns `output-path` or `path-collision`, a problem for each path
 */
export function pathCollisions(staying: readonly string[], wanted: readonly string[]): Problem[] {
  const near = nearPaths(staying, wanted);
  const before = new Set(checkOutputPaths(near).map(({ message }) => message));
  return checkOutputPaths([...near, ...wanted])
    .filter(({ message }) => !before.has(message))
    .map(({ code, path, message }) => ({
      code: code === 'output-path' ? code : ('path-collision' as const),
      severity: 'error',
      message: code === 'output-path' ? message : `${path} cannot stand on the branch: ${message}`,
    }));
}

/** Only these can collide: on the way down from the root, they leave the wanted paths by another spelling or kind. */
function nearPaths(staying: readonly string[], wanted: readonly string[]): string[] {
  const prefixesOf = prefixReader();
  const spellings = new Map<string, Set<string>>();
  for (const path of wanted) {
    for (const { prefix, key } of prefixesOf(path)) spellings.set(key, (spellings.get(key) ?? new Set()).add(prefix));
  }
  return staying.filter((path) => {
    for (const { prefix, key } of prefixesOf(path)) {
      const known = spellings.get(key);
      if (known === undefined) return false;
      // A file has no "/" at the end, a directory has.
      if (known.size > 1 || !known.has(prefix)) return true;
    }
    return true;
  });
}

/** Reads the directories that a path leads through, with "/" at their ends, and itself; folded without that "/". */
function prefixReader() {
  // The same segments come again and again.
  const folded = new Map<string, string>();
  const foldedSegment = (segment: string): string => {
    const known = folded.get(segment) ?? foldedPath(segment);
    folded.set(segment, known);
    return known;
  };
  return function* prefixesOf(path: string): Generator<{ prefix: string; key: string }> {
    const segments = path.split('/');
    let prefix = '';
    let key = '';
    for (const [at, segment] of segments.entries()) {
      prefix += at === segments.length - 1 ? segment : `${segment}/`;
      key += `/${foldedSegment(segment)}`;
      yield { prefix, key };
    }
  };
}

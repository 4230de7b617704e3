interface Entry {
  readonly kind: 'file' | 'directory';
  readonly spelling: string;
}

/** A path that an output cannot have. */
export interface OutputPathFault {
  readonly code: 'output-path' | 'output-path-conflict';
  readonly path: string;
  readonly message: string;
}

/**
 * What is wrong with the paths of an output, one problem at most for each path, in the order of the paths:
 * `output-path` for a path that is not allowed, `output-path-conflict` for one that cannot stand beside an
 * earlier one on every file system. An empty list means that all are good.
 */
export function checkOutputPaths(paths: readonly string[]): OutputPathFault[] {
  const faults: OutputPathFault[] = [];
  const entries = new Map<string, Entry>();
  for (const path of paths) {
    const fault = pathFault(path);
    const conflict = fault === null ? conflictOf(path, entries) : null;
    if (fault !== null) {
      faults.push({ code: 'output-path', path, message: `The output path ${JSON.stringify(path)} ${fault}.` });
    } else if (conflict !== null) {
      faults.push({ code: 'output-path-conflict', path, message: conflict });
    }
  }
  return faults;
}

function pathFault(path: string): string | null {
  if (path === '') return 'is empty; it must name a file inside the output';
  if (/\p{Surrogate}/u.test(path)) return 'holds half of a surrogate pair';
  if (/\p{Cc}/u.test(path)) return 'holds a control character';
  if (path.includes('\\')) return 'holds a backslash; segments are separated by "/"';
  if (path.startsWith('/')) return 'is absolute; it must be relative to the output';
  if (/^[A-Za-z]:/.test(path)) return 'begins with a drive letter; it must be relative to the output';
  for (const segment of path.split('/')) {
    const fault = segmentFault(segment);
    if (fault !== null) return fault;
  }
  return null;
}

function segmentFault(segment: string): string | null {
  if (segment === '') return 'has an empty segment';
  if (segment === '.' || segment === '..') return `has the segment "${segment}"`;
  if (/[. ]$/.test(segment)) return `has a segment that ends with a ${segment.endsWith('.') ? 'dot' : 'space'}`;
  if (isGitFolder(segment)) return 'lies in a .git folder';
  return null;
}

// The names that some file system takes for `.git`: other case, ignored code points, the NTFS short name and streams.
function isGitFolder(segment: string): boolean {
  const plain = segment.replaceAll(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/gu, '').toLowerCase();
  return /^(?:\.git|git~1)(?::|$)/.test(plain);
}

function conflictOf(path: string, entries: Map<string, Entry>): string | null {
  const segments = path.split('/');
  for (let length = 1; length <= segments.length; length += 1) {
    const spelling = segments.slice(0, length).join('/');
    const kind = length === segments.length ? 'file' : 'directory';
    const key = foldedPath(spelling);
    const known = entries.get(key);
    if (known === undefined) entries.set(key, { kind, spelling });
    else if (known.kind !== kind) return fileBelowFile(path, spelling, known);
    else if (known.spelling !== spelling) {
      return `The output path ${JSON.stringify(path)} differs from ${JSON.stringify(known.spelling)} only in case or Unicode form.`;
    } else if (kind === 'file') return `The output path ${JSON.stringify(path)} is given twice.`;
  }
  return null;
}

function fileBelowFile(path: string, spelling: string, known: Entry): string {
  return known.kind === 'file'
    ? `The output path ${JSON.stringify(path)} lies below ${JSON.stringify(known.spelling)}, which is a file.`
    : `The output path ${JSON.stringify(spelling)} is a file, but another path lies below it.`;
}

/**
 * The same text for two paths, or segments, that some file system takes for one. Upper case before lower, so that
 * spellings that meet only in upper case (for example sharp s) meet here too.
 */
export function foldedPath(path: string): string {
  return path.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');
}

import { isAbsolute, relative, sep } from 'node:path';

/** The name under which a file is shown: relative to `cwd` when it lies below, else as it was given; always with `/`. */
export function shownFile(file: string, cwd: string): string {
  const below = isAbsolute(file) ? relative(cwd, file) : file;
  const outside = below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below);
  const shown = isAbsolute(file) && outside ? file : below;
  return (sep === '\\' ? shown.replaceAll(sep, '/') : shown).replace(/^(?:\.\/+)+/, '');
}

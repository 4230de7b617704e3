/** On one line, and at most so many characters; a longer text ends with "...". */
export function bounded(text: string, most: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  // A pair of surrogates is not cut in two.
  return line.length > most ? `${line.slice(0, most - 3).replace(/[\uD800-\uDBFF]$/, '')}...` : line;
}

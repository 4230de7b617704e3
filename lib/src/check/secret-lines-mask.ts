import { SECRET_MARK } from '../contract/secret-shapes.ts';
import { lineMask } from '../lane/frame-mask.ts';
import { indexLines, type Position } from '../lane/line-index.ts';
import { parseLane } from '../lane/parse-lane.ts';

/**
 * Gives the function that hides the secrets of a line of a lane file: those that a reader of the lane knows, and all
 * that stands at the given places, whose secret was told only by what was rendered of it.
 */
export function secretLinesMask(text: string, places: readonly Position[]): (line: string, number: number) => string {
  const index = indexLines(text);
  const known = lineMask(
    parseLane(text, () => index),
    index,
  );
  return (line, number) => {
    const here = places.filter((place) => place.line <= number && number <= place.endLine);
    if (here.length === 0) return known(line, number);
    const from = Math.min(...here.map((place) => (place.line === number ? place.column : 1)));
    const kept = Array.from(line)
      .slice(0, from - 1)
      .join('');
    return `${from === 1 ? (/^\s*/.exec(line)?.[0] ?? '') : kept}${SECRET_MARK}`;
  };
}

import { artifactForLane } from '../artifacts/artifact-rules.ts';
import type { Lane } from '../lane/lane.ts';
import { formatLanePath, type LanePath } from '../lane/lane-path.ts';
import type { RenderedFile, RenderedLane } from '../render/render-lane.ts';
import { renderLane, runtimeImage } from '../render/render-lane.ts';
import { counterparts } from './counterparts.ts';
import type { Finding } from './finding.ts';
import { laneLeaves, perturbLane } from './lane-leaves.ts';

/**
 * Lane fields that a place in the output comes from, as dotted paths in the order of the lane; empty for a place that
 * no field moves in particular: that is a fault of the renderer or of a template.
 */
export type OriginFinder = (finding: Finding) => readonly string[];

/** More fields than this explain nothing; then only the mapping or list that holds all of them does. */
const MOST = 3;
/**
 * Labels of every object come from these: where other fields move a place too, they are the better answer, and of
 * mappings, lists and the places around the one that is meant they say nothing.
 */
const GENERAL = new Set<string | number>(['version', 'nodeId', 'labelDomain']);

/** The lane with one of its leaves changed, rendered; the control plane first. */
interface Variant {
  readonly leaf: LanePath;
  readonly files: readonly RenderedFile[];
}

/**
 * Traces places of the output to the lane by experiment: the lane is rendered once more for each of its leaves, with
 * that leaf changed, and the leaves whose change moves the value at a place are its origin. Where nothing moves it,
 * the nearest place around it that something moves decides. It costs about a hundred renders, on the first question.
 */
export function originFinder(rendered: RenderedLane): OriginFinder {
  let made: { readonly base: readonly RenderedFile[]; readonly variants: readonly Variant[] } | undefined;

  return (finding) => {
    made ??= renderVariants(rendered);
    const { base, variants } = made;
    const at = base.findIndex(({ path }) => path === finding.file);
    if (at < 0) return [];
    const keys = [
      ...(finding.index === undefined ? [] : [String(finding.index)]),
      ...pointerKeys(finding.pointer ?? ''),
    ];
    // An object as a whole comes from the renderer.
    const shortest = finding.index === undefined ? 0 : 2;
    for (let length = keys.length; length >= shortest; length -= 1) {
      const place = keys.slice(0, length);
      const moved = variants.filter(({ files }) => isMoved(base, files, at, place, finding)).map(({ leaf }) => leaf);
      if (moved.length > 0) return named(moved, length === keys.length && isScalar(base[at], place));
    }
    return [];
  };
}

function renderVariants({ lane, input }: RenderedLane): { base: readonly RenderedFile[]; variants: Variant[] } {
  const { artifact, laneFile } = input;
  // The image of a record that was made elsewhere comes from that record, whatever the lane says.
  const isOwn = runtimeImage(artifactForLane(lane, artifact, laneFile)) === runtimeImage(artifact);
  const render = (other: Lane) => {
    const { controlPlane, files } = renderLane(other, {
      ...input,
      artifact: isOwn ? artifactForLane(other, artifact, laneFile) : artifact,
    });
    return [controlPlane, ...files];
  };
  const variants = laneLeaves(lane).flatMap((leaf) => {
    try {
      return [{ leaf, files: render(perturbLane(lane, leaf) as Lane) }];
    } catch {
      // A changed leaf may be one that cannot be rendered; it then says nothing about the place.
      return [];
    }
  });
  return { base: render(lane), variants };
}

/** Without an object the place is the file: its path where that is what is wrong, else also its content. */
function isMoved(
  base: readonly RenderedFile[],
  files: readonly RenderedFile[],
  at: number,
  place: readonly string[],
  { code }: Finding,
): boolean {
  const [file, other] = counterparts(base, files, String(at)) as [RenderedFile, RenderedFile | undefined];
  if (place.length === 0) {
    const isPath = code === 'output-path' || code === 'output-path-conflict';
    return file.path !== other?.path || (!isPath && file.content !== other.content);
  }
  const [index = '', ...keys] = place;
  let pair = counterparts(file.objects, other?.objects, index);
  // What takes the whole object away decides that it is there, not what it holds.
  if (keys.length > 0 && pair[1] === undefined) return false;
  for (const key of keys) pair = counterparts(...pair, key);
  return JSON.stringify(pair[0]) !== JSON.stringify(pair[1]);
}

function isScalar(file: RenderedFile | undefined, place: readonly string[]): boolean {
  const value = place.reduce<unknown>((here, key) => counterparts(here, here, key)[0], file?.objects);
  return typeof value !== 'object';
}

function named(moved: readonly LanePath[], isExact: boolean): string[] {
  const particular = moved.filter(([first = '']) => !GENERAL.has(first));
  const paths = particular.length > 0 || !isExact ? particular : moved;
  if (paths.length <= MOST) return paths.map(formatLanePath);
  const shared = sharedStart(paths);
  return shared.length >= 2 ? [formatLanePath(shared)] : [];
}

function sharedStart([first = [], ...others]: readonly LanePath[]): LanePath {
  const differs = first.findIndex((step, at) => others.some((path) => path[at] !== step));
  return differs < 0 ? first : first.slice(0, differs);
}

function pointerKeys(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

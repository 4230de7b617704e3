import type { ErrorObject } from 'ajv/dist/2020.js';

/**
 * Of a value that fits none of several forms (`anyOf`, `oneOf`), each form reports its own errors. Those of the form that
 * was most likely meant are kept; where no form stands out, only that none fits.
 */
export function withoutOtherBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let kept = errors;
  // Inner unions report before outer ones.
  for (const union of errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')) {
    if (!kept.includes(union)) continue;
    const branches = branchesOf(union, kept);
    const ofBranches = new Set([...branches.values()].flat());
    const meant = likelyMeant(union, [...branches.values()]);
    kept = kept.filter((error) => !ofBranches.has(error) || meant?.includes(error) === true);
    if (meant !== undefined) kept = kept.filter((error) => error !== union);
  }
  return kept;
}

/** The errors of each form, found by the place of the form in the schema. */
function branchesOf(union: ErrorObject, errors: readonly ErrorObject[]): Map<string, ErrorObject[]> {
  const branches = new Map<string, ErrorObject[]>();
  for (const error of errors) {
    if (!error.schemaPath.startsWith(`${union.schemaPath}/`)) continue;
    if (error.instancePath !== union.instancePath && !error.instancePath.startsWith(`${union.instancePath}/`)) continue;
    const index = error.schemaPath.slice(union.schemaPath.length + 1).split('/', 1)[0] ?? '';
    const known = branches.get(index);
    if (known === undefined) branches.set(index, [error]);
    else known.push(error);
  }
  return branches;
}

function likelyMeant(union: ErrorObject, branches: readonly ErrorObject[][]): readonly ErrorObject[] | undefined {
  // All that is asked for is one of several members: `union` itself says that better.
  if (branches.every((errors) => errors.every((error) => isMissing(error, union)))) return undefined;
  const scored = branches.map((errors) => ({ errors, score: unlikeliness(errors, union) }));
  const least = Math.min(...scored.map(({ score }) => score));
  const best = scored.filter(({ score }) => score === least);
  return best.length === 1 ? best[0]?.errors : undefined;
}

const isMissing = ({ keyword, instancePath }: ErrorObject, union: ErrorObject): boolean =>
  keyword === 'required' && instancePath === union.instancePath;

function unlikeliness(errors: readonly ErrorObject[], union: ErrorObject): number {
  const otherType = errors.some(
    ({ keyword, instancePath }) => keyword === 'type' && instancePath === union.instancePath,
  );
  const otherTag = errors.some(({ keyword }) => keyword === 'const' || keyword === 'enum');
  return (otherType ? 10_000 : 0) + (otherTag ? 100 : 0) + errors.length;
}

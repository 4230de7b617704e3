import type { Problem } from '../../errors.ts';
import { messageText } from '../found-text.ts';
import type { Lane } from '../lane.ts';
import { applicationPath, projectPath, runtimeDirectory } from '../rendered-paths.ts';
import { normalizeRepositoryUrl } from '../repository-url.ts';
import type { PositionOf } from '../validate-lane.ts';

/** A lane and its file; what `loadLane` gives fits. */
export interface LaneOfMany {
  readonly lane: Lane;
  readonly file: string;
  readonly positionOf: PositionOf;
}

/** Something that only one lane may have. */
interface Claim {
  /** Claims of one kind are compared. */
  readonly kind: string;
  readonly value: string;
  /** The field at which the conflict stands. */
  readonly field: string;
  readonly what: string;
  /** Whether a value inside the other one is a conflict too: paths. */
  readonly isPath?: true;
}

function claimsOf(lane: Lane): Claim[] {
  const { gitops, deployment, runtime, ci } = lane;
  const branch = `${normalizeRepositoryUrl(gitops.repoURL)} ${gitops.branch}`;
  const path = (value: string, field: string, what: string): Claim => ({
    kind: `path ${branch}`,
    value: value.toLowerCase(),
    field,
    what: `${what} "${value}" on branch "${gitops.branch}"`,
    isPath: true,
  });
  const pair = (kind: string, namespace: string, name: string, field: string): Claim => ({
    kind,
    value: `${namespace}/${name}`,
    field,
    what: `${kind} "${name}" in namespace "${namespace}"`,
  });
  return [
    path(gitops.sourceFile, 'gitops.sourceFile', 'the source record'),
    path(deployment.artifactCatalogPath, 'deployment.artifactCatalogPath', 'the artifact catalog'),
    path(runtimeDirectory(lane), 'deployment.runtimeRenderDir', 'the runtime directory'),
    path(applicationPath(lane), 'deployment.argocd.applicationFile', 'the Application file'),
    path(projectPath(lane), 'deployment.gitopsRoot', 'the AppProject file'),
    {
      kind: 'namespace',
      value: runtime.namespace,
      field: 'runtime.namespace',
      what: `the namespace "${runtime.namespace}"`,
    },
    pair('the Application', gitops.argoNamespace, gitops.argoApplication, 'gitops.argoApplication'),
    pair('the AppProject', gitops.argoNamespace, deployment.argocd.project, 'deployment.argocd.project'),
    pair('the Pipeline', ci.namespace, ci.pipeline, 'ci.pipeline'),
  ];
}

/**
 * What several lanes must not share: paths on one branch of one repository, namespaces, and names of objects. Each
 * conflict stands in the later lane, in the order given, and names the place in the earlier one.
 */
export function laneConflicts(lanes: readonly LaneOfMany[]): Problem[] {
  const problems: Problem[] = [];
  const earlier = new EarlierClaims();
  for (const later of lanes) {
    const claims = claimsOf(later.lane);
    for (const claim of claims) {
      const rival = earlier.rivalOf(claim);
      if (rival !== undefined) problems.push(conflict(claim, later, rival.claim, rival.of));
    }
    for (const claim of claims) earlier.add(claim, later);
  }
  return problems;
}

interface HeldClaim {
  readonly claim: Claim;
  readonly of: LaneOfMany;
  readonly order: number;
}

/** What lanes claim, found by its value, so that many lanes take no more than their number. */
class EarlierClaims {
  readonly #held = new Map<string, HeldClaim>();
  /** Paths, by each folder that they lie in. */
  readonly #inside = new Map<string, HeldClaim>();
  #count = 0;

  add(claim: Claim, of: LaneOfMany): void {
    const held = { claim, of, order: this.#count };
    this.#count += 1;
    addFirst(this.#held, keyOf(claim, claim.value), held);
    for (const folder of foldersAbove(claim)) addFirst(this.#inside, keyOf(claim, folder), held);
  }

  /** The earliest claim of the same value, or, of paths, one that the claim lies in or that lies in it. */
  rivalOf(claim: Claim): HeldClaim | undefined {
    const same = [claim.value, ...foldersAbove(claim)].map((value) => this.#held.get(keyOf(claim, value)));
    return [...same, this.#inside.get(keyOf(claim, claim.value))]
      .filter((held) => held !== undefined)
      .sort((a, b) => a.order - b.order)[0];
  }
}

const keyOf = ({ kind }: Claim, value: string): string => `${kind}\0${value}`;

function addFirst<T>(map: Map<string, T>, key: string, value: T): void {
  if (!map.has(key)) map.set(key, value);
}

function foldersAbove({ value, isPath }: Claim): string[] {
  if (isPath !== true) return [];
  const segments = value.split('/');
  return segments.slice(1).map((_segment, at) => segments.slice(0, at + 1).join('/'));
}

function conflict(claim: Claim, later: LaneOfMany, rival: Claim, earlier: LaneOfMany): Problem {
  const position = later.positionOf(claim.field);
  const other = `${earlier.file}:${earlier.positionOf(rival.field).line}`;
  const relation = claim.value === rival.value ? 'has too' : `has ${rival.what}, and one lies inside the other`;
  return {
    code: 'lane-conflict',
    severity: 'error',
    message: messageText(
      `${claim.field} gives lane ${later.lane.version} ${claim.what}, which lane ${earlier.lane.version} ${relation} (${other})`,
    ),
    file: later.file,
    ...position,
    lanePath: claim.field,
  };
}

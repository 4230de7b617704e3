import { type RenderedPath, renderedPaths } from '../rendered-paths.ts';
import type { Rule, RuleFinding } from './rule.ts';

const FIELDS = [
  'gitops.sourceFile',
  'deployment.artifactCatalogPath',
  'deployment.argocd.applicationFile',
  'deployment.gitopsRoot',
  'deployment.runtimeRenderDir',
];

/** Some file systems do not tell upper from lower case: a checkout there would lose one of two such files. */
const folded = (path: string) => path.toLowerCase();

const pathsAreDistinct: Rule = {
  reads: [...FIELDS, 'deployment.localPostgres.enabled'],
  check(lane) {
    const findings = new Map<string, RuleFinding>();
    const paths = renderedPaths(lane);
    for (const [index, one] of paths.entries()) {
      for (const other of paths.slice(index + 1)) {
        const clash = clashOf(one, other);
        // The files of one directory share a field: say it once.
        const id = `${one.field} ${other.field}`;
        if (clash !== undefined && !findings.has(id)) findings.set(id, clash);
      }
    }
    return [...findings.values()];
  },
};

function clashOf(one: RenderedPath, other: RenderedPath): RuleFinding | undefined {
  const a = folded(one.path);
  const b = folded(other.path);
  const relation =
    a === b
      ? one.path === other.path
        ? 'is also'
        : 'differs only in case from'
      : a.startsWith(`${b}/`)
        ? 'lies below'
        : b.startsWith(`${a}/`)
          ? 'is a directory of'
          : undefined;
  if (relation === undefined) return undefined;
  return {
    code: 'lane-path-conflict',
    message: `${one.field} puts ${one.what} at "${one.path}", which ${relation} ${other.what}${one.path === other.path ? '' : ` "${other.path}"`} of ${other.field}`,
    paths: [one.field, other.field],
  };
}

const pathsAreOurs: Rule = {
  reads: FIELDS,
  check({ gitops, deployment }) {
    const { artifactCatalogPath, gitopsRoot, runtimeRenderDir } = deployment;
    const fields: [string, string, boolean][] = [
      ['gitops.sourceFile', gitops.sourceFile, true],
      ['deployment.artifactCatalogPath', artifactCatalogPath, true],
      ['deployment.gitopsRoot', gitopsRoot, true],
      ['deployment.runtimeRenderDir', runtimeRenderDir, false],
    ];
    return fields.flatMap(([field, path, fromRoot]) => reserved(field, path, fromRoot));
  },
};

function reserved(field: string, path: string, fromRoot: boolean): RuleFinding[] {
  const segments = folded(path).split('/');
  const refuse = (name: string, why: string): RuleFinding => ({
    code: 'lane-path-conflict',
    message: `${field} must not lead into "${name}", ${why}, found "${path}"`,
    paths: [field],
  });
  // Windows drops dots at the end of a name, and git refuses such names too.
  if (segments.some((segment) => /^\.git\.*$/.test(segment))) return [refuse('.git', 'which belongs to git')];
  if (fromRoot && segments[0] === '.agentrun') return [refuse('.agentrun', 'which holds the inventories of the lanes')];
  if (fromRoot && segments[0] === 'hydrator.metadata') {
    return [refuse('hydrator.metadata', 'which is the file that says what was published')];
  }
  return [];
}

/** The directory "argocd" beside it is not synced by the Application that it holds. */
const runtimeIsNotArgocd: Rule = {
  reads: ['deployment.runtimeRenderDir'],
  check({ deployment: { runtimeRenderDir } }) {
    if (folded(runtimeRenderDir).split('/')[0] !== 'argocd') return [];
    return [
      {
        code: 'lane-path-conflict',
        message: `deployment.runtimeRenderDir must not be or lie below "argocd", where the Application and the AppProject stand, found "${runtimeRenderDir}"`,
        paths: ['deployment.runtimeRenderDir'],
      },
    ];
  },
};

export const renderedPathRules: readonly Rule[] = [pathsAreDistinct, pathsAreOurs, runtimeIsNotArgocd];

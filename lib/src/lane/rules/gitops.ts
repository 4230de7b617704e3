import { sameRepository } from '../repository-url.ts';
import type { Rule } from './rule.ts';

/** Argo CD must read the directory that is rendered. */
const pathIsTheRenderedDirectory: Rule = {
  reads: ['gitops.path', 'deployment.gitopsRoot', 'deployment.runtimeRenderDir'],
  check({ gitops, deployment }) {
    const rendered = `${deployment.gitopsRoot}/${deployment.runtimeRenderDir}`;
    if (gitops.path === rendered) return [];
    return [
      {
        message: `gitops.path must be "${rendered}", which is deployment.gitopsRoot + "/" + deployment.runtimeRenderDir, found "${gitops.path}"`,
        hint: `Write path: ${rendered}`,
        paths: ['gitops.path', 'deployment.gitopsRoot', 'deployment.runtimeRenderDir'],
      },
    ];
  },
};

/** A rendered commit on the source branch would start the next render. */
const branchIsNotTheSourceBranch: Rule = {
  reads: ['gitops.branch', 'gitops.repoURL', 'gitMirror.writeUrl', 'source.branch', 'source.remote'],
  check({ gitops, gitMirror, source }) {
    if (gitops.branch !== source.branch) return [];
    const twin = sameRepository(gitops.repoURL, source.remote)
      ? 'gitops.repoURL'
      : sameRepository(gitMirror.writeUrl, source.remote)
        ? 'gitMirror.writeUrl'
        : undefined;
    if (twin === undefined) return [];
    return [
      {
        message: `gitops.branch must differ from source.branch, because ${twin} is the repository of source.remote; found "${gitops.branch}" for both`,
        hint: `For example: branch: ${gitops.branch}-gitops`,
        paths: ['gitops.branch', 'source.branch', twin, 'source.remote'],
      },
    ];
  },
};

export const gitopsRules: readonly Rule[] = [pathIsTheRenderedDirectory, branchIsNotTheSourceBranch];

import type { Lane } from '../../lib/src/lane/lane.ts';
import { contractLane } from './contract-lane.ts';

/** Places of a lane that take free text, or nearly so, and the lane with a text put there. */
export const SECRET_PLACES: Readonly<Record<string, (text: string) => Lane>> = {
  'a variable of the manager': (text) => lane(({ deployment }) => void (deployment.manager.env['X_NOTE'] = text)),
  'a variable of the manager, within a sentence': (text) =>
    lane(({ deployment }) => void (deployment.manager.env['X_NOTE'] = `use ${text} for now`)),
  'the ssh endpoint': (text) =>
    lane(({ deployment }) => void (deployment.manager.unideskSshEndpointEnv = { name: 'X_ENDPOINT', value: text })),
  'the path of a URL': (text) => lane(({ source }) => void (source.remote = `https://git.example.internal/${text}`)),
  'the query of a URL': (text) =>
    lane(({ gitMirror }) => void (gitMirror.readUrl = `https://git.example.internal/a.git?key=${text}`)),
  'the password of a URL to write to': (text) =>
    lane(({ gitMirror }) => void (gitMirror.writeUrl = `https://bot:${text}@git.example.internal/a.git`)),
  'the password of the GitOps URL': (text) =>
    lane(({ gitops }) => void (gitops.repoURL = `ssh://git:${text}@git.example.internal/a.git`)),
  'the password of the proxy': (text) =>
    lane(
      ({ deployment }) => void (deployment.runner.egressProxyUrl = `http://bot:${text}@proxy.example.internal:3128`),
    ),
  'the password of the repository to boot': (text) =>
    lane(({ deployment }) => void (deployment.manager.bootRepoUrl = `https://bot:${text}@git.example.internal/a.git`)),
  'a host without the proxy': (text) => lane(({ deployment }) => void deployment.runner.noProxyExtra.push(text)),
  'a prefix of Job names': (text) =>
    lane(({ deployment }) => void deployment.runner.retention.selectors.jobNamePrefixes.push(text)),
  'the reason of a sign-off': (text) => lane(({ review }) => void review.allow.push(signOff({ reason: text }))),
  'the path of a sign-off': (text) => lane(({ review }) => void review.allow.push(signOff({ path: `/${text}` }))),
  'a branch': (text) => lane(({ source }) => void (source.branch = text)),
  'the node': (text) => lane((copy) => void (copy.nodeId = text)),
  'the name of an object': (text) => lane(({ runtime }) => void (runtime.managerService = text)),
  'the key of a Secret': (text) => lane(({ database }) => void (database.secretRef.key = text)),
  'the path of a file': (text) => lane(({ deployment }) => void (deployment.artifactCatalogPath = `${text}.json`)),
  'the name of the Application file': (text) =>
    lane(({ deployment }) => void (deployment.argocd.applicationFile = `${text}.yaml`)),
  'an image': (text) => lane(({ ci }) => void (ci.toolsImage = text)),
  'a label of runners': (text) =>
    lane(({ deployment }) => void (deployment.runner.retention.selectors.matchLabels['x'] = text)),
  'a free field of the resources': (text) =>
    lane(({ deployment }) => void Object.assign(deployment.manager.resources, { note: text })),
  'a field where a number stands': (text) =>
    lane(({ deployment }) => void Object.assign(deployment.runner, { idleTimeoutMs: text })),
  'a field that does not exist': (text) => lane((copy) => void Object.assign(copy, { note: text })),
  'the name of a field that does not exist': (text) => lane((copy) => void Object.assign(copy.ci, { [text]: 'x' })),
  'the name of a resource': (text) =>
    lane(({ deployment }) => void Object.assign(deployment.manager.resources.limits, { [text]: 1 })),
};

/** The places whose texts reach the output as they are, whatever they look like. */
export const OPAQUE_PLACES = ['a variable of the manager', 'the ssh endpoint'] as const;

function lane(change: (copy: Lane) => void): Lane {
  const copy = structuredClone(contractLane());
  change(copy);
  return copy;
}

const signOff = (more: { reason?: string; path?: string }) => ({
  risk: 'replicas-to-zero',
  object: 'Deployment/agentrun-mgr',
  reason: 'night shutdown',
  expires: '2027-01-31',
  ...more,
});

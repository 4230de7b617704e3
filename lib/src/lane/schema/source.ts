import { dnsLabel, gitRef, gitUrl, imageByDigest, imagePrefix, jsonPath, relativePath } from './fields.ts';

const EXAMPLE_DIGEST = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

/** Where the code comes from, and through which mirror the cluster reads and writes it. */
export const sourceSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['remote', 'branch'],
  description: 'The repository of the code that this lane deploys.',
  examples: [{ remote: 'ssh://git@git.example.com/agentrun/agentrun.git', branch: 'v0.1' }],
  properties: {
    remote: gitUrl('Upstream repository of the code.', 'ssh://git@git.example.com/agentrun/agentrun.git'),
    branch: gitRef('Branch of the code that this lane follows.', 'v0.1'),
  },
} as const;

export const gitMirrorSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['readUrl', 'writeUrl'],
  description: 'The git endpoints that the Pipeline uses from inside the cluster.',
  examples: [
    {
      readUrl: 'http://git-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun.git',
      writeUrl: 'ssh://git@git-mirror.git-system.svc.cluster.local/agentrun/agentrun.git',
    },
  ],
  properties: {
    readUrl: gitUrl(
      'Where the Pipeline clones from.',
      'http://git-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun.git',
    ),
    writeUrl: gitUrl(
      'Where the Pipeline pushes rendered files to, with the ssh workspace.',
      'ssh://git@git-mirror.git-system.svc.cluster.local/agentrun/agentrun.git',
    ),
  },
} as const;

export const gitopsSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['repoURL', 'branch', 'path', 'argoNamespace', 'argoApplication'],
  description: 'The branch that holds the rendered files, and the Argo CD Application that syncs it.',
  examples: [
    {
      repoURL: 'http://git-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun.git',
      branch: 'v0.1-gitops',
      path: 'deploy/gitops/runtime-v01',
      argoNamespace: 'argocd',
      argoApplication: 'agentrun-v01',
    },
  ],
  properties: {
    repoURL: gitUrl(
      'Repository that Argo CD reads.',
      'http://git-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun.git',
    ),
    branch: gitRef('Branch that holds the rendered files.', 'v0.1-gitops'),
    path: relativePath(
      'Directory that Argo CD syncs; must be `deployment.gitopsRoot` + "/" + `deployment.runtimeRenderDir`.',
      'deploy/gitops/runtime-v01',
    ),
    argoNamespace: dnsLabel('Namespace of the AppProject and the Application.', 'argocd'),
    argoApplication: dnsLabel('Name of the Application.', 'agentrun-v01'),
    sourceFile: {
      ...jsonPath('Path of the record that says which source was rendered.', 'source.json'),
      default: 'source.json',
    },
  },
} as const;

export const ciSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['namespace', 'serviceAccountName', 'pipeline', 'registryPrefix', 'toolsImage'],
  description: 'The Tekton Pipeline that checks and publishes this lane.',
  examples: [
    {
      namespace: 'agentrun-ci',
      serviceAccountName: 'agentrun-v01-ci',
      pipeline: 'agentrun-v01-ci',
      registryPrefix: 'registry.example.com:5000/agentrun',
      toolsImage: `registry.example.com:5000/agentrun/ci-tools:0.1@${EXAMPLE_DIGEST}`,
    },
  ],
  properties: {
    namespace: dnsLabel('Namespace of the Pipeline.', 'agentrun-ci'),
    serviceAccountName: dnsLabel('ServiceAccount of the Pipeline, and name of its Role.', 'agentrun-v01-ci'),
    pipeline: dnsLabel('Name of the Pipeline.', 'agentrun-v01-ci'),
    registryPrefix: imagePrefix('Registry and path of the images that we build.', 'registry.example.com:5000/agentrun'),
    toolsImage: imageByDigest(
      'Image of the Pipeline steps (sh, git, ssh, Node, agentrun), by digest.',
      `registry.example.com:5000/agentrun/ci-tools:0.1@${EXAMPLE_DIGEST}`,
    ),
  },
} as const;

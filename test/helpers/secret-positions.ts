import type { KubernetesObject } from '../../lib/src/manifests/kubernetes-object.ts';
import { yamlDocuments } from '../../lib/src/render/yaml.ts';

/** A file as the renderer makes it: the objects, and the YAML that holds them. */
export function fileOf(...objects: KubernetesObject[]) {
  return { path: 'deploy/gitops/runtime-v01/mgr.yaml', content: yamlDocuments(objects), objects };
}

const meta = { name: 'agentrun-mgr', namespace: 'agentrun-v01' };

export function deployment(container: object, annotations: Record<string, string> = {}): KubernetesObject {
  const template = { metadata: { annotations }, spec: { containers: [{ name: 'mgr', ...container }] } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta, spec: { replicas: 1, template } };
}

export function pipeline(step: object, params: object[] = []): KubernetesObject {
  const tasks = [{ name: 'publish', taskSpec: { steps: [{ name: 'check', ...step }] } }];
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'Pipeline',
    metadata: { name: 'ci', namespace: 'agentrun-ci' },
    spec: { params, tasks },
  };
}

export function configMap(data: Record<string, string>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'agentrun-v01' }, data };
}

export function project(description: string): KubernetesObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'agentrun-v01' },
    spec: { description },
  };
}

/** Where a secret may stand in an object: how it is put there, and the pointer that has to be named. */
interface Position {
  readonly place: (text: string) => KubernetesObject;
  readonly object: string;
  readonly pointer: string;
  /** A place of free text, where also random strings are found. */
  readonly free: boolean;
}

export const CONTAINER = '/spec/template/spec/containers/0';
export const STEP = '/spec/tasks/0/taskSpec/steps/0';
export const POSITIONS: Readonly<Record<string, Position>> = {
  'an environment value': {
    place: (text) =>
      deployment({
        env: [
          { name: 'AGENTRUN_LANE', value: 'v0.1' },
          { name: 'NOTE', value: text },
        ],
      }),
    object: 'Deployment/agentrun-mgr',
    pointer: `${CONTAINER}/env/1/value`,
    free: true,
  },
  'an environment value of a step': {
    place: (text) => pipeline({ env: [{ name: 'NOTE', value: text }] }),
    object: 'Pipeline/ci',
    pointer: `${STEP}/env/0/value`,
    free: true,
  },
  'an annotation': {
    place: (text) => deployment({}, { 'example.com/~note': text }),
    object: 'Deployment/agentrun-mgr',
    pointer: '/spec/template/metadata/annotations/example.com~1~0note',
    free: true,
  },
  'a ConfigMap': {
    place: (text) => configMap({ 'a.txt': 'plain', 'note.txt': `first line\nnote: "${text}"\nlast line\n` }),
    object: 'ConfigMap/settings',
    pointer: '/data/note.txt',
    free: true,
  },
  'an argument': {
    place: (text) => deployment({ args: ['serve', `--note=${text}`] }),
    object: 'Deployment/agentrun-mgr',
    pointer: `${CONTAINER}/args/1`,
    free: true,
  },
  'a command': {
    place: (text) => deployment({ command: ['sh', '-c', `exec run '${text}'`] }),
    object: 'Deployment/agentrun-mgr',
    pointer: `${CONTAINER}/command/2`,
    free: true,
  },
  'the default of a param': {
    place: (text) => pipeline({}, [{ name: 'note', type: 'string', default: text }]),
    object: 'Pipeline/ci',
    pointer: '/spec/params/0/default',
    free: true,
  },
  'the description of an AppProject': {
    place: (text) => project(`Lane with ${text} in it`),
    object: 'AppProject/agentrun-v01',
    pointer: '/spec/description',
    free: true,
  },
  'an item of a List': {
    place: (text) => ({ apiVersion: 'v1', kind: 'List', items: [project('fine'), configMap({ note: text })] }),
    object: 'ConfigMap/settings',
    pointer: '/items/1/data/note',
    free: true,
  },
  'the script of a step': {
    place: (text) => pipeline({ script: `#!/bin/sh\nset -eu\nrun ${text}\n` }),
    object: 'Pipeline/ci',
    pointer: `${STEP}/script`,
    free: false,
  },
  'a label': {
    place: (text) => ({ ...project('fine'), metadata: { name: 'p', labels: { note: text } } }),
    object: 'AppProject/p',
    pointer: '/metadata/labels/note',
    free: false,
  },
};

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Lane } from '../../lib/src/lane/lane.ts';
import { controlPlaneObjects } from '../../lib/src/manifests/control-plane.ts';
import { codeBlocks } from '../helpers/markdown-blocks.ts';
import { laneOf } from '../helpers/publish-setup.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';

interface Named {
  readonly name: string;
}
interface PipelineRun {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly generateName: string; readonly namespace: string };
  readonly spec: {
    readonly pipelineRef: Named;
    readonly params: readonly { readonly name: string; readonly value: string }[];
    readonly taskRunTemplate: {
      readonly serviceAccountName: string;
      readonly podTemplate: { readonly securityContext: { readonly fsGroup: number } };
    };
    readonly workspaces: readonly (Named & { readonly secret?: { readonly secretName: string } })[];
  };
}
interface PipelineSpec {
  readonly params: readonly (Named & { readonly default?: string })[];
  readonly workspaces: readonly (Named & { readonly optional?: boolean })[];
  readonly results: readonly Named[];
  readonly tasks: readonly {
    readonly taskSpec: { readonly steps: readonly { readonly securityContext: { readonly runAsUser: number } }[] };
  }[];
}

const page = readFileSync(join(REPOSITORY, 'docs/operations.md'), 'utf8');
const blocks = codeBlocks(page);
// The page speaks of the lane that the repository begins with.
const lane: Lane = laneOf(readFileSync(join(REPOSITORY, 'lanes/v0.1.yaml'), 'utf8'));
const pipeline = controlPlaneObjects(lane).find(({ kind }) => kind === 'Pipeline');
const spec = pipeline?.['spec'] as PipelineSpec;
const run = blocks
  .filter(({ language }) => language === 'yaml')
  .map(({ text }) => parse(text) as PipelineRun)
  .find(({ kind }) => kind === 'PipelineRun') as PipelineRun;
const names = (list: readonly Named[]): string[] => list.map(({ name }) => name);

describe('the PipelineRun of the operations page', () => {
  it('runs the rendered Pipeline, in its namespace, by its account', () => {
    expect(run.apiVersion).toBe(pipeline?.apiVersion);
    expect(run.spec.pipelineRef.name).toBe(pipeline?.metadata?.name);
    expect(run.metadata.namespace).toBe(pipeline?.metadata?.namespace);
    expect(run.spec.taskRunTemplate.serviceAccountName).toBe(lane.ci.serviceAccountName);
  });

  it('gives every param that has no default, and none that is not there', () => {
    const given = names(run.spec.params);
    expect(names(spec.params)).toEqual(expect.arrayContaining(given));
    const needed = spec.params.filter((param) => param.default === undefined);
    expect(needed.length).toBeGreaterThan(0);
    expect(given).toEqual(expect.arrayContaining(names(needed)));
    expect(given).toEqual(expect.arrayContaining(['image-digest', 'env-identity']));
    expect(run.spec.params.every(({ value }) => typeof value === 'string')).toBe(true);
  });

  it('brings the workspaces, and lets the user of the steps write to them', () => {
    expect(names(run.spec.workspaces).sort()).toEqual(names(spec.workspaces).sort());
    const users = spec.tasks.flatMap(({ taskSpec }) => taskSpec.steps.map((step) => step.securityContext.runAsUser));
    expect(new Set(users)).toEqual(new Set([run.spec.taskRunTemplate.podTemplate.securityContext.fsGroup]));
  });

  it('names the Secret that the page makes, with what the step asks for', () => {
    const secret = run.spec.workspaces.find(({ name }) => name === 'git-ssh')?.secret?.secretName;
    const command = blocks.map(({ text }) => text).find((text) => text.includes('create secret generic')) ?? '';
    expect(command).toContain(`-n ${lane.ci.namespace} create secret generic ${secret} `);
    expect(command).toMatch(/--from-file=id_\w+=/);
    expect(command).toContain('--from-file=known_hosts=');
  });

  it('is followed by what the Pipeline really gives back', () => {
    for (const { name } of spec.results) expect(page).toContain(`The result\n\`${name}\``);
  });
});

import type { Finding } from './finding.ts';
import { dig, listOf, shown, textOf } from './json-view.ts';
import { containersOf, type PodTemplate } from './pods.ts';
import { findingAt, type PlacedObject } from './rendered-objects.ts';

const BY_DIGEST = /^[^\s@]+@sha256:[0-9a-f]{64}$/;
const PARAM = /^\$\(params\.([A-Za-z0-9_-]+)\)$/;

interface ImageAt {
  readonly pointer: string;
  readonly value: unknown;
}

/** Every image is given by digest: in pods, in the steps of the Pipeline, and in the environment that names one. */
export function checkImages(objects: readonly PlacedObject[], pods: readonly PodTemplate[]): Finding[] {
  const pipelines = objects.filter(({ object }) => object.kind === 'Pipeline');
  return [
    ...pods.flatMap((pod) => podImages(pod).flatMap((image) => judged(pod.owner, image))),
    ...pipelines.flatMap((placed) => pipelineImages(placed).flatMap((image) => judged(placed, image))),
  ];
}

function judged(placed: PlacedObject, { pointer, value }: ImageAt): Finding[] {
  if (BY_DIGEST.test(textOf(value) ?? '')) return [];
  return [findingAt(placed, 'output-image', pointer, `the image ${shown(value)} is not given by digest`)];
}

function podImages(pod: PodTemplate): ImageAt[] {
  return containersOf(pod).flatMap(({ pointer, container }) => [
    { pointer: `${pointer}/image`, value: container['image'] },
    ...listOf(container['env']).flatMap((entry, at) =>
      dig(entry, 'name') === 'AGENTRUN_RUNNER_IMAGE'
        ? [{ pointer: `${pointer}/env/${at}/value`, value: dig(entry, 'value') }]
        : [],
    ),
  ]);
}

function pipelineImages({ object }: PlacedObject): ImageAt[] {
  const spec = dig(object, 'spec');
  return ['tasks', 'finally'].flatMap((group) =>
    listOf(dig(spec, group)).flatMap((task, taskAt) =>
      listOf(dig(task, 'taskSpec', 'steps')).flatMap((step, stepAt) => {
        const pointer = `/spec/${group}/${taskAt}`;
        const value = dig(step, 'image');
        return givenImage(spec, task, pointer, { pointer: `${pointer}/taskSpec/steps/${stepAt}/image`, value });
      }),
    ),
  );
}

/** An image that is a param is followed to where its text stands; one that each run must give is judged by none. */
function givenImage(spec: unknown, task: unknown, pointer: string, image: ImageAt): ImageAt[] {
  const ofTask = paramOf(image.value);
  if (ofTask === undefined) return [image];
  const at = named(dig(task, 'params'), ofTask);
  if (at < 0) {
    const declared = named(dig(task, 'taskSpec', 'params'), ofTask);
    return given(
      dig(task, 'taskSpec', 'params', declared, 'default'),
      `${pointer}/taskSpec/params/${declared}/default`,
    );
  }
  const value = dig(task, 'params', at, 'value');
  const ofPipeline = paramOf(value);
  if (ofPipeline === undefined) return [{ pointer: `${pointer}/params/${at}/value`, value }];
  const declared = named(dig(spec, 'params'), ofPipeline);
  return given(dig(spec, 'params', declared, 'default'), `/spec/params/${declared}/default`);
}

const paramOf = (value: unknown): string | undefined => PARAM.exec(textOf(value) ?? '')?.[1];
const named = (list: unknown, name: string): number => listOf(list).findIndex((entry) => dig(entry, 'name') === name);
const given = (value: unknown, pointer: string): ImageAt[] => (value === undefined ? [] : [{ pointer, value }]);

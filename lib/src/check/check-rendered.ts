import { maskSecrets } from '../contract/secret-shapes.ts';
import { runtimeDirectory } from '../lane/rendered-paths.ts';
import type { RenderedLane } from '../render/render-lane.ts';
import { checkAppProject } from './app-project.ts';
import { checkDuplicateObjects } from './duplicate-objects.ts';
import type { Finding } from './finding.ts';
import { checkImages } from './images.ts';
import { maskPointer } from './json-view.ts';
import { checkNamespaces } from './namespaces.ts';
import { checkObjectSchema } from './object-schema.ts';
import { checkOutputPaths } from './output-path.ts';
import { checkPipelines } from './pipeline.ts';
import { checkPodSecurity } from './pod-security.ts';
import { podTemplates } from './pods.ts';
import { checkReferences } from './references.ts';
import { objectTitle, type PlacedObject, placedObjects } from './rendered-objects.ts';
import { checkControlPlaneCopies, checkKustomization } from './rendered-set.ts';
import { checkSecrets } from './secret-gate.ts';
import { checkPolicySelectors, checkWorkloadSelectors } from './selectors.ts';
import { checkGoverningServices, checkProbePorts, checkServices } from './services.ts';

/**
 * What the output must satisfy before it is written: closed schemas of every object, the rules between objects that
 * no schema holds, and no secret. Pure; an empty list means that the output is good.
 *
 * Findings of the other checks are masked, and say nothing of a value that is a secret.
 */
export function checkRendered(rendered: Pick<RenderedLane, 'lane' | 'files' | 'controlPlane'>): Finding[] {
  const { lane, files, controlPlane } = rendered;
  const directory = `${runtimeDirectory(lane)}/`;
  const control = placedObjects([controlPlane]);
  const runtime = placedObjects(files.filter(({ path }) => path.startsWith(directory)));
  const all = [...control, ...runtime];
  const pods = podTemplates(all);

  // The gate looks first: what it finds must stand in no message of the others.
  const secrets = checkSecrets([controlPlane, ...files]);
  const others: Finding[] = [
    ...checkOutputPaths([controlPlane.path, ...files.map(({ path }) => path)]).map(({ code, path, message }) => ({
      code,
      message,
      file: path,
    })),
    ...all.flatMap(checkSchema),
    ...checkDuplicateObjects(all),
    ...checkNamespaces(lane, runtime, control),
    ...checkReferences(lane, all, pods),
    ...checkServices(runtime, pods),
    ...checkGoverningServices(runtime),
    ...checkProbePorts(pods),
    ...checkWorkloadSelectors(pods),
    ...checkPolicySelectors(lane, runtime, pods),
    ...checkImages(all, pods),
    ...checkPodSecurity(all, pods),
    ...checkPipelines(control),
    ...checkAppProject(lane, control, runtime),
    ...checkKustomization(lane, rendered),
    ...checkControlPlaneCopies(rendered),
  ];
  const places = new Set(secrets.map(placeOf));
  return [...secrets, ...others.map((finding) => masked(finding, places.has(placeOf(finding))))];
}

const placeOf = ({ file, index, pointer }: Finding): string => [file, index, pointer].join('\0');

/** What the gate found by its place or by the name beside it, no mask would know. */
function masked({ message, object, pointer, hint, ...rest }: Finding, isSecret: boolean): Finding {
  const place = pointer === undefined ? undefined : maskPointer(pointer);
  const told = isSecret
    ? `${object} ${place}: what stands here is wrong; it is not shown`
    : // Escaped, a URL is none for the mask.
      message.replace(pointer ?? '', () => place ?? '');
  return {
    ...rest,
    message: maskSecrets(told),
    ...(object === undefined ? {} : { object: maskSecrets(object) }),
    ...(place === undefined ? {} : { pointer: place }),
    ...(hint === undefined || isSecret ? {} : { hint: maskSecrets(hint) }),
  };
}

function checkSchema(placed: PlacedObject): Finding[] {
  const object = objectTitle(placed.object);
  return checkObjectSchema(placed.object, maskSecrets).map(({ code, pointer, message, hint }) => ({
    code,
    file: placed.file,
    index: placed.index,
    object,
    pointer,
    message: `${object} ${pointer}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  }));
}

import canonicalize from 'canonicalize';
import type { Lane } from '../lane/lane.ts';
import { runtimeDirectory } from '../lane/rendered-paths.ts';
import type { Finding } from './finding.ts';
import { anyText, dig, listOf, shown } from './json-view.ts';
import { type CheckedOutput, findingAt, type PlacedObject, placedObjects } from './rendered-objects.ts';

/** The kustomization lists exactly the files that lie beside it. */
export function checkKustomization(lane: Lane, { files }: CheckedOutput): Finding[] {
  const directory = `${runtimeDirectory(lane)}/`;
  const beside = files.filter(({ path }) => path.startsWith(directory)).map(({ path }) => path.slice(directory.length));
  const placed = placedObjects(files).find(
    ({ file, object }) => file === `${directory}kustomization.yaml` && object.kind === 'Kustomization',
  );
  if (placed === undefined) {
    return [
      { code: 'output-kustomization', file: `${directory}kustomization.yaml`, message: 'the kustomization is missing' },
    ];
  }
  const listed = listOf(dig(placed.object, 'resources')).map(anyText);
  const expected = beside.filter((name) => name !== 'kustomization.yaml');
  return [
    ...listed.flatMap((name, at) =>
      !expected.includes(name) || listed.indexOf(name) !== at
        ? [
            findingAt(
              placed,
              'output-kustomization',
              `/resources/${at}`,
              `${shown(name)} is not a rendered file, or stands twice`,
            ),
          ]
        : [],
    ),
    ...expected
      .filter((name) => !listed.includes(name))
      .map((name) =>
        findingAt(placed, 'output-kustomization', '/resources', `the rendered file "${name}" is not listed`),
      ),
  ];
}

/** AppProject and Application stand on the branch and in the control plane; both must say the same. */
export function checkControlPlaneCopies({ files, controlPlane }: CheckedOutput): Finding[] {
  const isCopied = ({ object }: PlacedObject) => object.kind === 'AppProject' || object.kind === 'Application';
  const control = placedObjects([controlPlane]).filter(isCopied);
  const onBranch = placedObjects(files).filter(isCopied);
  const copyOf = ({ object }: PlacedObject, others: readonly PlacedObject[]) =>
    others.find((candidate) => candidate.object.kind === object.kind);
  return [
    ...onBranch.flatMap((placed) => {
      const other = copyOf(placed, control);
      // As a rule it is the very same object.
      if (other?.object === placed.object) return [];
      if (other !== undefined && canonicalize(other.object) === canonicalize(placed.object)) return [];
      return [findingAt(placed, 'output-project', '', 'differs from the one of the control plane')];
    }),
    ...control
      .filter((placed) => copyOf(placed, onBranch) === undefined)
      .map((placed) => findingAt(placed, 'output-project', '', 'does not stand among the files of the branch')),
  ];
}

import { dig, listOf } from './json-view.ts';

/** What a volume refers to, with the pointer of the name, and of each key that it takes from it. */
export interface VolumeReference {
  readonly kind: 'Secret' | 'ConfigMap' | 'PersistentVolumeClaim';
  readonly name: unknown;
  readonly pointer: string;
  readonly keys: readonly { readonly key: unknown; readonly pointer: string }[];
}

/** The Secrets, ConfigMaps and claims of the volumes of a pod; `pointer` is the one of the list. */
export function volumeReferences(volumes: unknown, pointer: string): VolumeReference[] {
  return listOf(volumes).flatMap((volume, at) => {
    const here = `${pointer}/${at}`;
    return [
      ...reference('Secret', dig(volume, 'secret'), 'secretName', `${here}/secret`),
      ...reference('ConfigMap', dig(volume, 'configMap'), 'name', `${here}/configMap`),
      ...reference(
        'PersistentVolumeClaim',
        dig(volume, 'persistentVolumeClaim'),
        'claimName',
        `${here}/persistentVolumeClaim`,
      ),
      ...listOf(dig(volume, 'projected', 'sources')).flatMap((source, position) => [
        ...reference('Secret', dig(source, 'secret'), 'name', `${here}/projected/sources/${position}/secret`),
        ...reference('ConfigMap', dig(source, 'configMap'), 'name', `${here}/projected/sources/${position}/configMap`),
      ]),
    ];
  });
}

function reference(kind: VolumeReference['kind'], source: unknown, field: string, pointer: string): VolumeReference[] {
  if (source === undefined) return [];
  const keys = listOf(dig(source, 'items')).map((item, at) => ({
    key: dig(item, 'key'),
    pointer: `${pointer}/items/${at}/key`,
  }));
  return [{ kind, name: dig(source, field), pointer: `${pointer}/${field}`, keys }];
}

/** Fields that the API knows and that no rendered object may carry; they count as unknown. */
export interface RemovedFields {
  readonly definition: string;
  readonly properties: readonly string[];
  readonly why: string;
}

export const REMOVED_FIELDS: readonly RemovedFields[] = [
  {
    definition: 'ObjectMeta',
    properties: [
      'creationTimestamp',
      'deletionGracePeriodSeconds',
      'deletionTimestamp',
      'generation',
      'managedFields',
      'resourceVersion',
      'selfLink',
      'uid',
    ],
    why: 'Set by the API server; in a file they make every apply fail or differ.',
  },
  { definition: 'ObjectMeta', properties: ['generateName'], why: 'Rendered objects have literal names.' },
  {
    definition: 'PodSpec',
    properties: ['ephemeralContainers'],
    why: 'Only the subresource of a running pod takes them.',
  },
  { definition: 'PodSpec', properties: ['serviceAccount'], why: 'The old name of serviceAccountName.' },
  {
    definition: 'Volume',
    properties: [
      'awsElasticBlockStore',
      'azureDisk',
      'azureFile',
      'cephfs',
      'cinder',
      'fc',
      'flexVolume',
      'flocker',
      'gcePersistentDisk',
      'gitRepo',
      'glusterfs',
      'iscsi',
      'photonPersistentDisk',
      'portworxVolume',
      'quobyte',
      'rbd',
      'scaleIO',
      'storageos',
      'vsphereVolume',
    ],
    why: 'In-tree drivers, removed or refused from Kubernetes over time; a PersistentVolumeClaim names the storage instead.',
  },
];

import { NOT_NEGATIVE, type OverlayRow, POSITIVE, row, set, words } from './row.ts';

const A = 'Application';
const P = 'AppProject';
const DESTINATION = { not: { required: ['server', 'name'] }, 'x-expected': 'either "server" or "name", not both' };
const RESOURCES = [
  'clusterResourceWhitelist',
  'clusterResourceBlacklist',
  'namespaceResourceWhitelist',
  'namespaceResourceBlacklist',
];

export const ARGO_ROWS: readonly OverlayRow[] = [
  row(
    'application-project',
    'ApplicationSpec',
    'project',
    'DnsSubdomain',
    'It names an AppProject.',
    set(A, '/spec/project', 'Bad_Project'),
  ),
  row(
    'application-source',
    'ApplicationSpec',
    '',
    {
      allOf: [
        {
          oneOf: [{ required: ['source'] }, { required: ['sources'] }],
          'x-expected': 'exactly one of source, sources',
        },
      ],
    },
    'An Application has a source.',
    { kind: A, at: '/spec/source', reports: '/spec' },
  ),
  row(
    'application-repo',
    'ApplicationSource',
    'repoURL',
    'NonEmpty',
    'It names a repository.',
    set(A, '/spec/source/repoURL', ''),
  ),
  row(
    'application-path',
    'ApplicationSource',
    'path',
    'RelativePath',
    'It is a path in the repository.',
    set(A, '/spec/source/path', '/deploy'),
  ),
  row(
    'application-destination',
    'ApplicationSpec',
    'destination',
    DESTINATION,
    'Argo CD refuses both.',
    set(A, '/spec/destination/name', 'in-cluster', '/spec/destination'),
  ),
  row(
    'application-server',
    'ApplicationSpec',
    'destination.server',
    'ClusterUrl',
    'It is the URL of a cluster.',
    set(A, '/spec/destination/server', 'kubernetes.default.svc'),
  ),
  row(
    'application-namespace',
    'ApplicationSpec',
    'destination.namespace',
    'DnsLabel',
    'The name of a Namespace.',
    set(A, '/spec/destination/namespace', 'A.b'),
  ),
  row(
    'application-history',
    'ApplicationSpec',
    'revisionHistoryLimit',
    NOT_NEGATIVE,
    'A count.',
    set(A, '/spec/revisionHistoryLimit', -1),
  ),
  row(
    'application-ignore-pointer',
    'ApplicationSpec',
    'ignoreDifferences[].jsonPointers[]',
    { pattern: '^/', 'x-expected': 'a JSON pointer, such as "/spec/replicas"' },
    'A wrong pointer ignores nothing.',
    set(A, '/spec/ignoreDifferences/0/jsonPointers/0', 'spec.replicas'),
  ),
  row(
    'application-sync-option',
    'ApplicationSpec',
    'syncPolicy.syncOptions[]',
    {
      pattern:
        '^(Validate|CreateNamespace|PruneLast|ApplyOutOfSyncOnly|ServerSideApply|RespectIgnoreDifferences|FailOnSharedResource|Replace|ClientSideApplyMigration|SkipDryRunOnMissingResource|Force|DisableClientSideApplyMigration)=(true|false)$|^PrunePropagationPolicy=(foreground|background|orphan)$|^(Prune|Delete)=(true|false|confirm)$',
      'x-expected': 'an option of Argo CD with its value, such as "PruneLast=true"',
    },
    'Argo CD ignores an unknown option in silence.',
    set(A, '/spec/syncPolicy/syncOptions/0', 'PruneLst=true'),
  ),
  row(
    'application-retry-limit',
    'ApplicationSpec',
    'syncPolicy.retry.limit',
    { minimum: -1 },
    'A count; -1 is without end.',
    set(A, '/spec/syncPolicy/retry/limit', -2),
  ),
  row(
    'application-retry-duration',
    'ApplicationSpec',
    'syncPolicy.retry.backoff.duration',
    'ArgoDuration',
    'A duration of Go.',
    set(A, '/spec/syncPolicy/retry/backoff/duration', '5 seconds'),
  ),
  row(
    'application-retry-max',
    'ApplicationSpec',
    'syncPolicy.retry.backoff.maxDuration',
    'ArgoDuration',
    'A duration of Go.',
    set(A, '/spec/syncPolicy/retry/backoff/maxDuration', '3min'),
  ),
  row(
    'application-retry-factor',
    'ApplicationSpec',
    'syncPolicy.retry.backoff.factor',
    POSITIVE,
    'Zero would never wait.',
    set(A, '/spec/syncPolicy/retry/backoff/factor', 0),
  ),
  row(
    'project-repo',
    'AppProjectSpec',
    'sourceRepos[]',
    'NonEmpty',
    'It names a repository.',
    set(P, '/spec/sourceRepos/0', ''),
  ),
  row(
    'project-destination-server',
    'AppProjectSpec',
    'destinations[].server',
    {
      pattern: '^(!?\\*|!?https?://[^\\s/@]+(/[^\\s]*)?)$',
      'x-expected': 'the URL of a Kubernetes API server, or "*"',
    },
    'It is the URL of a cluster.',
    set(P, '/spec/destinations/0/server', 'kubernetes'),
  ),
  row(
    'project-destination-namespace',
    'AppProjectSpec',
    'destinations[].namespace',
    { pattern: '^!?[a-z0-9*?\\[\\]-]+$', 'x-expected': 'the name of a namespace, or a pattern' },
    'It is a namespace.',
    set(P, '/spec/destinations/0/namespace', 'A b'),
  ),
  ...RESOURCES.map((field) =>
    row(
      `project-${field}-kind`,
      'AppProjectSpec',
      `${field}[].kind`,
      { pattern: '^(\\*|[A-Z][A-Za-z0-9*]*)$', 'x-expected': 'a kind, such as "Deployment", or "*"' },
      'A wrong kind permits or refuses nothing.',
      set(P, `/spec/${field}`, [{ group: '', kind: 'deployments' }], `/spec/${field}/0/kind`),
    ),
  ),
  ...RESOURCES.map((field) =>
    row(
      `project-${field}-group`,
      'AppProjectSpec',
      `${field}[].group`,
      {
        pattern: '^(\\*|[a-z0-9*]([-a-z0-9.*]*[a-z0-9*])?)?$',
        'x-expected': 'an API group, "" for the core group, or "*"',
      },
      'A wrong group permits or refuses nothing.',
      set(P, `/spec/${field}`, [{ group: 'apps/v1', kind: 'Deployment' }], `/spec/${field}/0/group`),
    ),
  ),
  row(
    'project-window-kind',
    'AppProjectSpec',
    'syncWindows[].kind',
    words('allow', 'deny'),
    'Argo CD knows two.',
    set(
      P,
      '/spec/syncWindows',
      [{ kind: 'permit', schedule: '* * * * *', duration: '1h' }],
      '/spec/syncWindows/0/kind',
    ),
  ),
];

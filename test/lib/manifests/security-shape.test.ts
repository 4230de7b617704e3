import { describe, expect, it } from 'vitest';
import { placeholderArtifact } from '../../../lib/src/artifacts/artifact.ts';
import type { Lane } from '../../../lib/src/lane/lane.ts';
import { type LanePath, valueAt } from '../../../lib/src/lane/lane-path.ts';
import { renderLane } from '../../../lib/src/render/render-lane.ts';
import { contractLane, contractVariant } from '../../helpers/contract-lane.ts';
import { objectAt } from '../../helpers/patched-output.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const render = (lane: Lane) => renderLane(lane, { sourceCommit: COMMIT, artifact: placeholderArtifact(lane, COMMIT) });

const rendered = render(contractLane());
const all = [rendered.controlPlane, ...rendered.files].flatMap(({ objects }) => objects);
const variant = render(contractVariant());
const allOfVariant = [variant.controlPlane, ...variant.files].flatMap(({ objects }) => objects);

/** The value below some keys of an object, `Kind/name`. */
const at = (title: string, ...path: LanePath): unknown => valueAt(objectAt(rendered, title).value, path);
const ofKind = (kind: string) => all.filter((object) => object.kind === kind);
const pod = ['spec', 'template', 'spec'] as const;

const MANAGER = 'Deployment/agentrun-mgr';
const POSTGRES = 'StatefulSet/agentrun-v01-postgres';

describe('rights', () => {
  it('of the Pipeline are none', () => {
    expect(at('Role/agentrun-v01-ci', 'rules')).toEqual([]);
  });

  it('of a runner are none', () => {
    expect(at('Role/agentrun-v01-runner-secret-reader', 'rules')).toEqual([]);
  });

  it('of the manager over Secrets are to make them, and to read and change the two that hold credentials', () => {
    expect(at('Role/agentrun-v01-mgr-provider-secret-manager', 'rules')).toEqual([
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: ['agentrun-v01-mgr-provider-credentials', 'agentrun-v01-mgr-tool-credentials'],
        verbs: ['get', 'patch', 'update'],
      },
    ]);
  });

  it('of the manager are otherwise over Jobs, their pods and their volumes', () => {
    const rules = at('Role/agentrun-v01-mgr-runner-job-controller', 'rules') as { resources: string[] }[];
    expect(rules.flatMap(({ resources }) => resources)).toEqual(['jobs', 'pods', 'persistentvolumeclaims']);
    expect(JSON.stringify(rules)).not.toContain('*');
  });

  it('are given to one account each, in its own namespace, and never over the cluster', () => {
    expect(ofKind('RoleBinding')).toHaveLength(4);
    for (const binding of ofKind('RoleBinding')) {
      expect(valueAt(binding, ['subjects'])).toEqual([
        { kind: 'ServiceAccount', name: expect.any(String), namespace: binding.metadata?.namespace },
      ]);
      expect(valueAt(binding, ['roleRef', 'kind'])).toBe('Role');
    }
    expect(all.some(({ kind }) => /^Cluster|^Secret$/.test(kind))).toBe(false);
  });
});

describe('the token of an account', () => {
  it('is mounted by no account by itself', () => {
    expect(ofKind('ServiceAccount')).toHaveLength(3);
    for (const account of ofKind('ServiceAccount')) expect(account['automountServiceAccountToken']).toBe(false);
  });

  it('is mounted in the manager only', () => {
    expect(at(MANAGER, ...pod, 'automountServiceAccountToken')).toBe(true);
    expect(at(POSTGRES, ...pod, 'automountServiceAccountToken')).toBe(false);
    expect(at(POSTGRES, ...pod, 'serviceAccountName')).toBeUndefined();
  });
});

describe('pods', () => {
  it.each([
    [MANAGER, 10001],
    [POSTGRES, 70],
  ])('of %s run as one user that is not root, on a root that nobody writes', (title, user) => {
    expect(at(title, ...pod, 'securityContext')).toEqual({
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(at(title, ...pod, 'containers', 0, 'securityContext')).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    });
    expect(at(title, ...pod, 'enableServiceLinks')).toBe(false);
  });

  it('of the manager write below /tmp and its home', () => {
    const mounts = at(MANAGER, ...pod, 'containers', 0, 'volumeMounts');
    expect(mounts).toEqual([
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'home', mountPath: '/home/agentrun' },
    ]);
    for (const volume of at(MANAGER, ...pod, 'volumes') as object[]) {
      expect(volume).toEqual({ name: expect.any(String), emptyDir: { sizeLimit: expect.any(String) } });
    }
  });

  it('that ask for nothing themselves get limits', () => {
    expect(at('LimitRange/agentrun-v0-1-defaults', 'spec', 'limits')).toEqual([
      { type: 'Container', defaultRequest: { cpu: '100m', memory: '256Mi' }, default: { cpu: '2', memory: '4Gi' } },
    ]);
  });

  it('are held to "restricted" where the lane runs, and to "baseline" where the Pipeline runs', () => {
    const level = (title: string) =>
      ['enforce', 'audit', 'warn'].map((mode) => at(title, 'metadata', 'labels', `pod-security.kubernetes.io/${mode}`));
    expect(level('Namespace/agentrun-v01')).toEqual(['restricted', 'restricted', 'restricted']);
    expect(level('Namespace/agentrun-ci')).toEqual(['baseline', 'restricted', 'restricted']);
  });
});

describe('the network', () => {
  const policy = (name: string) => at(`NetworkPolicy/${name}`, 'spec');
  const manager = { matchLabels: { 'app.kubernetes.io/name': 'agentrun-mgr' } };

  it('lets nothing in that no policy names', () => {
    expect(policy('default-deny-ingress')).toEqual({ podSelector: {}, policyTypes: ['Ingress'] });
  });

  it('lets the manager alone reach PostgreSQL', () => {
    expect(policy('postgres-ingress')).toEqual({
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'agentrun-v01-postgres' } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: manager }], ports: [{ port: 5432, protocol: 'TCP' }] }],
    });
  });

  it('lets all reach the manager, at its one port', () => {
    expect(policy('manager-ingress')).toEqual({
      podSelector: manager,
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 8080, protocol: 'TCP' }] }],
    });
  });

  const runners = {
    matchLabels: {
      'agentrun.pikastech.local/lane': 'v0.1',
      'app.kubernetes.io/component': 'runner',
      'app.kubernetes.io/part-of': 'agentrun',
    },
  };
  const dnsAndManager = [
    {
      to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
      ports: [
        { port: 53, protocol: 'UDP' },
        { port: 53, protocol: 'TCP' },
      ],
    },
    { to: [{ podSelector: manager }], ports: [{ port: 8080, protocol: 'TCP' }] },
  ];

  it('lets runners reach DNS, the manager, and what the lane lists: by default all but the metadata address', () => {
    expect(policy('runner-egress')).toEqual({
      podSelector: runners,
      policyTypes: ['Egress'],
      egress: [...dnsAndManager, { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.169.254/32'] } }] }],
    });
  });

  it('lets runners reach DNS and the manager only when the lane lists nothing: a rule without targets means everywhere', () => {
    const closed = render(contractLane({ deployment: { network: { runnerEgress: [] } } }));
    expect(valueAt(objectAt(closed, 'NetworkPolicy/runner-egress').value, ['spec', 'egress'])).toEqual(dnsAndManager);
  });

  it('lets runners reach each network of the lane, without exceptions where it names none', () => {
    const runnerEgress = [
      { cidr: '10.0.0.0/8', except: [] },
      { cidr: '192.168.0.0/16', except: ['192.168.1.0/24'] },
    ];
    const open = render(contractLane({ deployment: { network: { runnerEgress } } }));
    expect(valueAt(objectAt(open, 'NetworkPolicy/runner-egress').value, ['spec', 'egress', 2])).toEqual({
      to: [{ ipBlock: { cidr: '10.0.0.0/8' } }, { ipBlock: { cidr: '192.168.0.0/16', except: ['192.168.1.0/24'] } }],
    });
  });

  it('leaves the manager free to reach what it must, and has no policy for a PostgreSQL that is elsewhere', () => {
    const egress = ofKind('NetworkPolicy').filter((object) => JSON.stringify(object).includes('"Egress"'));
    expect(egress.map(({ metadata }) => metadata?.name)).toEqual(['runner-egress']);
    const names = allOfVariant.filter(({ kind }) => kind === 'NetworkPolicy').map(({ metadata }) => metadata?.name);
    expect(names).toEqual(['default-deny-ingress', 'manager-ingress', 'runner-egress']);
  });
});

describe('Argo CD', () => {
  const runtime = rendered.files
    .filter(({ path }) => path.startsWith('deploy/gitops/runtime-v01/'))
    .flatMap(({ objects }) => objects)
    .filter(({ kind }) => kind !== 'Kustomization');
  const annotation = (object: (typeof all)[number], name: string) =>
    object.metadata?.annotations?.[`argocd.argoproj.io/${name}`];

  it('applies the namespace, then accounts, rights, limits and policies, then the database, then the manager', () => {
    const waves: Record<string, string[]> = {};
    for (const object of runtime) (waves[annotation(object, 'sync-wave') ?? 'none'] ??= []).push(object.kind);
    expect(
      Object.fromEntries(Object.entries(waves).map(([wave, kinds]) => [wave, [...new Set(kinds)].sort()])),
    ).toEqual({
      '-3': ['Namespace'],
      '-2': ['LimitRange', 'NetworkPolicy', 'Role', 'RoleBinding', 'ServiceAccount'],
      '-1': ['Service', 'StatefulSet'],
      '0': ['Deployment', 'Service'],
    });
  });

  it('never takes the Namespace or the StatefulSet away, and with them the data', () => {
    const kept = runtime.filter((object) => annotation(object, 'sync-options') === 'Prune=false');
    expect(kept.map(({ kind }) => kind)).toEqual(['Namespace', 'StatefulSet']);
  });

  it('takes away what is no longer rendered, last, and makes no Namespace of its own', () => {
    const policy = at('Application/agentrun-v01', 'spec', 'syncPolicy') as { syncOptions: string[] };
    expect(policy).toMatchObject({ automated: { prune: true, selfHeal: true } });
    expect(policy.syncOptions).toEqual(['ApplyOutOfSyncOnly=true', 'PruneLast=true']);
  });

  it('may deploy from one repository, into one namespace, and the kinds that are rendered', () => {
    const spec = at('AppProject/agentrun-v01', 'spec') as { namespaceResourceWhitelist: { kind: string }[] };
    expect(spec).toMatchObject({
      sourceRepos: ['http://git-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun.git'],
      destinations: [{ server: 'https://kubernetes.default.svc', namespace: 'agentrun-v01' }],
      clusterResourceWhitelist: [{ group: '', kind: 'Namespace' }],
    });
    const kinds = new Set(runtime.map(({ kind }) => kind).filter((kind) => kind !== 'Namespace'));
    expect(spec.namespaceResourceWhitelist.map(({ kind }) => kind).sort()).toEqual([...kinds].sort());
  });

  it('gets the same AppProject and Application from the branch and from the control plane', () => {
    for (const kind of ['AppProject', 'Application']) {
      const [one, other, ...more] = ofKind(kind);
      expect(one).toEqual(other);
      expect(more).toEqual([]);
    }
  });
});

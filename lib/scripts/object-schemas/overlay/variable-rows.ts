import { CONTAINER, type OverlayRow, row, set } from './row.ts';

const D = 'Deployment';
const HANDLER = (names: string[], expected: string) => ({
  allOf: [{ oneOf: names.map((name) => ({ required: [name] })), 'x-expected': expected }],
});
const ONE = 'exactly one of';

export const VARIABLE_ROWS: readonly OverlayRow[] = [
  row(
    'env-name',
    'EnvVar',
    'name',
    'EnvName',
    'Shells know no other names.',
    set(D, `${CONTAINER}/env/0/name`, '1-BAD'),
  ),
  row(
    'env-value',
    'EnvVar',
    '',
    { not: { required: ['value', 'valueFrom'] }, 'x-expected': 'either "value" or "valueFrom", not both' },
    'The API server refuses both.',
    set(D, `${CONTAINER}/env/1/value`, 'x', `${CONTAINER}/env/1`),
  ),
  row(
    'env-source',
    'EnvVarSource',
    '',
    {
      minProperties: 1,
      maxProperties: 1,
      'x-expected': `${ONE} configMapKeyRef, fieldRef, resourceFieldRef, secretKeyRef`,
    },
    'The API server refuses none and two.',
    set(D, `${CONTAINER}/env/1/valueFrom`, {}),
  ),
  row(
    'env-from-source',
    'EnvFromSource',
    '',
    HANDLER(['configMapRef', 'secretRef'], `${ONE} configMapRef, secretRef`),
    'The API server refuses none and two.',
    set(D, `${CONTAINER}/envFrom/0`, { prefix: 'A_' }),
  ),
  row(
    'env-from-prefix',
    'EnvFromSource',
    'prefix',
    'EnvName',
    'It begins a variable name.',
    set(D, `${CONTAINER}/envFrom/0/prefix`, '9-'),
  ),
  row(
    'secret-key-name',
    'SecretKeySelector',
    'name',
    'DnsSubdomain',
    'It names a Secret.',
    set(D, `${CONTAINER}/env/1/valueFrom/secretKeyRef/name`, 'A_B'),
  ),
  row('secret-key-needs-name', 'SecretKeySelector', '', { required: ['name'] }, 'An empty reference names nothing.', {
    kind: D,
    at: `${CONTAINER}/env/1/valueFrom/secretKeyRef/name`,
    reports: `${CONTAINER}/env/1/valueFrom/secretKeyRef`,
  }),
  row(
    'secret-key',
    'SecretKeySelector',
    'key',
    'DataKey',
    'It is a key of a Secret.',
    set(D, `${CONTAINER}/env/1/valueFrom/secretKeyRef/key`, 'a/b'),
  ),
  row(
    'config-key-name',
    'ConfigMapKeySelector',
    'name',
    'DnsSubdomain',
    'It names a ConfigMap.',
    set(D, `${CONTAINER}/env/3/valueFrom/configMapKeyRef/name`, 'A_B'),
  ),
  row(
    'config-key-needs-name',
    'ConfigMapKeySelector',
    '',
    { required: ['name'] },
    'An empty reference names nothing.',
    {
      kind: D,
      at: `${CONTAINER}/env/3/valueFrom/configMapKeyRef/name`,
      reports: `${CONTAINER}/env/3/valueFrom/configMapKeyRef`,
    },
  ),
  row(
    'config-key',
    'ConfigMapKeySelector',
    'key',
    'DataKey',
    'It is a key of a ConfigMap.',
    set(D, `${CONTAINER}/env/3/valueFrom/configMapKeyRef/key`, 'a/b'),
  ),
  row(
    'env-from-config-name',
    'ConfigMapEnvSource',
    'name',
    'DnsSubdomain',
    'It names a ConfigMap.',
    set(D, `${CONTAINER}/envFrom/0/configMapRef/name`, 'A_B'),
  ),
  row(
    'env-from-secret-name',
    'SecretEnvSource',
    'name',
    'DnsSubdomain',
    'It names a Secret.',
    set(D, `${CONTAINER}/envFrom/0`, { secretRef: { name: 'A_B' } }, `${CONTAINER}/envFrom/0/secretRef/name`),
  ),
];

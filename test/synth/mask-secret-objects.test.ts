import { describe, expect, it } from 'vitest';
import { maskSecretObjects } from '../../synth/src/mask-secret-objects.ts';

const SECRET = `apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: agentrun
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {"data":{"a":"hunter2"},"kind":"Secret"}
type: Opaque
data:
  a: hunter2
  name: hunter2
stringData:
  key: |
    hunter2
`;

describe('maskSecretObjects', () => {
  it('leaves nothing of a Secret but its names', () => {
    expect(maskSecretObjects(SECRET).split('\n')).toEqual([
      ...['apiVersion: v1', 'kind: Secret', 'metadata:', '  name: db', '  namespace: agentrun', '  [secret]'],
      ...[
        '    [secret]',
        '      [secret]',
        'type: Opaque',
        '[secret]',
        '  [secret]',
        '  [secret]',
        '[secret]',
        '  [secret]',
      ],
      ...['    [secret]', ''],
    ]);
  });

  it.each([
    ['JSON', '{"kind": "Secret", "data": {"a": "hunter2"}}\n'],
    ['JSON on several lines', '{\n  "kind": "Secret",\n  "data": {\n    "a": "hunter2"\n  }\n}\n'],
    ['a list', 'kind: List\nitems:\n- kind: Secret\n  data:\n    a: hunter2\n'],
    ['quoted words', '"kind": "Secret"\n"data":\n  "a": "hunter2"\n'],
    ['a flow map', "kind: 'Secret'\ndata: {a: hunter2}\n"],
    ['a map in the place of a name', 'kind: Secret\nmetadata:\n  name: {a: hunter2}\n'],
  ])('finds a Secret written as %s', (_what, text) => {
    expect(maskSecretObjects(text)).not.toContain('hunter2');
  });

  it('leaves other documents as they are', () => {
    const others = 'kind: ConfigMap\ndata:\n  a: b\n---\nkind: Role\nrules: []\n';
    expect(maskSecretObjects(others)).toBe(others);
    const mixed = maskSecretObjects(`${others}---\n${SECRET}---\nkind: Service\nspec: {}\n`);
    expect(mixed).toContain(others);
    expect(mixed).toContain('---\nkind: Service\nspec: {}\n');
    expect(mixed).not.toContain('hunter2');
  });

  it('knows a reference to a Secret from a Secret', () => {
    const reference = 'kind: Pod\nspec:\n  volumes:\n  - secret:\n      secretName: db\n';
    expect(maskSecretObjects(reference)).toBe(reference);
  });
});

import { describe, expect, it } from 'vitest';
import { secretFindings } from '../../../../lib/src/lane/rules/secrets.ts';

const paths = (value: unknown) => secretFindings(value).map(({ path }) => path.join('.'));
const env = (values: Record<string, string>) => ({ deployment: { manager: { env: values } } });
const githubToken = `ghp_${'a1B2'.repeat(9)}`;

describe('secrets in a lane', () => {
  it('are values whose variable is named as one', () => {
    expect(
      paths(env({ A_TOKEN: 'x', B_KEY: 'horse', C_MS: '300000', D_PASSWORD: '/run/secrets/d', E_NAME: 'horse' })),
    ).toEqual(['deployment.manager.env.A_TOKEN', 'deployment.manager.env.B_KEY']);
  });

  it('are the value of the ssh endpoint, by its name', () => {
    const endpoint = (name: string) => ({
      deployment: { manager: { unideskSshEndpointEnv: { name, value: 'horse' } } },
    });
    expect(paths(endpoint('GATEWAY_PASSWORD'))).toEqual(['deployment.manager.unideskSshEndpointEnv.value']);
    expect(paths(endpoint('GATEWAY_HOST'))).toEqual([]);
  });

  it('are known shapes in any text, also below fields that nobody knows', () => {
    expect(paths({ nodeId: githubToken, other: [{ deep: `see ${githubToken}` }] })).toEqual(['nodeId', 'other.0.deep']);
    expect(paths({ source: { remote: 'https://user:hunter2-is-long@git.example.com/a.git' } })).toEqual([
      'source.remote',
    ]);
    expect(paths({ review: { allow: [{ reason: 'password=hunter2x' }] } })).toEqual(['review.allow.0.reason']);
  });

  it('are not the names of keys and Secrets, digests and commits', () => {
    expect(paths({ database: { secretRef: { name: 'agentrun-v01-db', key: 'AGENTRUN_API_KEY' } } })).toEqual([]);
    expect(paths({ ci: { toolsImage: `registry.example.com/a/b:1@sha256:${'0123456789abcdef'.repeat(4)}` } })).toEqual(
      [],
    );
    expect(paths(env({ COMMIT: '0123456789abcdef0123456789abcdef01234567' }))).toEqual([]);
  });

  it('are never in the message', () => {
    for (const { message, hint } of secretFindings(env({ A_TOKEN: 'horse-battery', B: githubToken }))) {
      expect(`${message} ${hint}`).not.toMatch(/horse|ghp_/);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { hintedTokens, SECRET_TOKENS } from '../../../lib/src/contract/secret-tokens.ts';
import { plantedSecrets } from '../../helpers/planted-secrets.ts';

/** Of the shapes without a fixed beginning that are not among the planted ones. */
const a = (length: number): string => 'a'.repeat(length);
const OTHERS = [
  `PuTTY-User-Key-File-3: ${a(20)}`,
  `https://hooks.slack.com/services/${a(24)}`,
  `https://discord.com/api/webhooks/${'1'.repeat(18)}/${a(60)}`,
  `${'1'.repeat(9)}:AA${a(33)}`,
  `${a(14)}.atlasv1.${a(60)}`,
  `https://files.example.internal/x?sig=${a(32)}`,
  `${a(3)}8Q~${a(34)}`,
  `{"auth": "${a(16)}="}`,
  `{\\"identitytoken\\": \\"${a(16)}\\"}`,
  `agentrun:${a(8)}@tcp(db:3306)/agentrun`,
];

const matches = (pattern: RegExp, text: string): boolean => new RegExp(pattern).test(text);

describe('the hints of secret tokens', () => {
  it('leave out no token that is in the text', () => {
    const texts = [...plantedSecrets(4).map(({ text }) => text), ...OTHERS];
    const together = [...texts, texts.join(' '), texts.join('\n'), `sk-sk-ant-${texts.join('')}`];
    const seen = new Set<unknown>();
    for (const text of together) {
      const hinted = hintedTokens(text);
      for (const token of SECRET_TOKENS) {
        if (!matches(token.pattern, text)) continue;
        seen.add(token);
        expect(hinted, `${token.shape} in ${text.slice(0, 40)}`).toContain(token);
      }
    }
    expect(seen.size).toBeGreaterThan(35);
    // What begins with its hint has the right one by its making.
    const unseen = SECRET_TOKENS.filter((token) => !seen.has(token));
    expect(unseen.filter(({ pattern }) => !pattern.source.startsWith('(?:(?<![A-Za-z0-9])|'))).toEqual([]);
  });

  it('are found in any case where the pattern takes any', () => {
    const shapes = (text: string) => hintedTokens(text).map(({ shape }) => shape);
    expect(shapes('AUTHORIZATION: BEARER x')).toEqual(['authorization-header', 'bearer-token']);
    expect(shapes('GHP_x')).toEqual([]);
    expect(shapes('ghp_x')).toEqual(['github-token']);
  });

  it('stand in the order of the table, and for plain words there are none', () => {
    expect(hintedTokens('bearer eyJ').map(({ shape }) => shape)).toEqual(['jwt', 'bearer-token']);
    expect(hintedTokens('metadata')).toEqual([]);
  });

  it('take time linear in a text full of them', () => {
    const before = performance.now();
    for (const hint of ['sk', 'gh', '://', 'eyJ', 'curl']) hintedTokens(hint.repeat(200_000));
    expect(performance.now() - before).toBeLessThan(5000);
  });
});

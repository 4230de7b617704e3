import type { Rule, RuleFinding } from './rule.ts';

interface Network {
  readonly address: number;
  readonly bits: number;
}

const EGRESS = 'deployment.network.runnerEgress';

const networksAreExact: Rule = {
  reads: [EGRESS],
  check({ deployment }) {
    const findings: RuleFinding[] = [];
    for (const [index, { cidr, except }] of deployment.network.runnerEgress.entries()) {
      const outer = parseNetwork(cidr);
      findings.push(...hostBits(`${EGRESS}[${index}].cidr`, cidr, outer));
      for (const [at, text] of except.entries()) {
        const path = `${EGRESS}[${index}].except[${at}]`;
        const inner = parseNetwork(text);
        findings.push(...hostBits(path, text, inner));
        if (inner.bits >= outer.bits && maskTo(inner.address, outer.bits) === maskTo(outer.address, outer.bits))
          continue;
        findings.push({
          message: `${path} must lie inside ${EGRESS}[${index}].cidr, which is ${cidr}, found ${text}`,
          paths: [path, `${EGRESS}[${index}].cidr`],
        });
      }
    }
    return findings;
  },
};

function hostBits(path: string, text: string, { address, bits }: Network): RuleFinding[] {
  const network = maskTo(address, bits);
  if (network === address) return [];
  const exact = `${formatAddress(network)}/${bits}`;
  return [
    {
      message: `${path} must be the address of a network, with zeros after its first ${bits} bits, found ${text}`,
      hint: `Write ${exact}, or ${formatAddress(address)}/32 for the one address.`,
      paths: [path],
    },
  ];
}

function parseNetwork(text: string): Network {
  const [address = '', bits = ''] = text.split('/');
  return { address: address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0), bits: Number(bits) };
}

function maskTo(address: number, bits: number): number {
  const size = 2 ** (32 - bits);
  return Math.floor(address / size) * size;
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

export const networkRules: readonly Rule[] = [networksAreExact];

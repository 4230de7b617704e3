import type { Rule, RuleFinding } from './rule.ts';

/** The URL that runners use must lead to the Service that is rendered. */
const urlLeadsToTheService: Rule = {
  reads: ['runtime.internalBaseUrl', 'runtime.managerService', 'runtime.namespace', 'runtime.managerPort'],
  check({ runtime }) {
    const { internalBaseUrl, managerService, namespace, managerPort } = runtime;
    const host = `${managerService}.${namespace}.svc`;
    const scheme = internalBaseUrl.startsWith('https:') ? 'https' : 'http';
    const hint = `Write internalBaseUrl: ${scheme}://${host}.cluster.local:${managerPort}`;
    const url = parse(internalBaseUrl);
    if (url === undefined || url.search !== '' || url.hash !== '') {
      return [
        {
          message: `runtime.internalBaseUrl must be a URL of scheme, host and port alone, found "${internalBaseUrl}"`,
          hint,
          paths: ['runtime.internalBaseUrl'],
        },
      ];
    }
    const findings: RuleFinding[] = [];
    if (url.hostname !== host && url.hostname !== `${host}.cluster.local`) {
      findings.push({
        message: `runtime.internalBaseUrl must name the host "${host}" or "${host}.cluster.local", made of runtime.managerService and runtime.namespace, found "${url.hostname}"`,
        hint,
        paths: ['runtime.internalBaseUrl', 'runtime.managerService', 'runtime.namespace'],
      });
    }
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    if (port !== managerPort) {
      findings.push({
        message: `runtime.internalBaseUrl must name the port ${managerPort} of runtime.managerPort, found ${port}`,
        hint,
        paths: ['runtime.internalBaseUrl', 'runtime.managerPort'],
      });
    }
    return findings;
  },
};

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

export const managerAddressRules: readonly Rule[] = [urlLeadsToTheService];

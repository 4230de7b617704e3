const SAYS_SECRET = /["']?kind["']?\s*:\s*["']?Secret\b/;
const PLAIN = /^[A-Za-z0-9./:_-]+$/;

/**
 * A text of YAML or JSON in which nothing is left of the Secrets but their names: what they hold may be short, of no
 * known form, or written again in an annotation.
 */
export const maskSecretObjects = (text: string): string =>
  text
    .split(/^(?=---)/m)
    .map((document) => (SAYS_SECRET.test(document) ? maskLines(document) : document))
    .join('');

function maskLines(document: string): string {
  let block = '';
  return document
    .split('\n')
    .map((line) => {
      const [, indent = '', name = '', value = ''] = /^( *)([A-Za-z]+): *(.*)$/.exec(line) ?? [];
      if (indent === '' && name !== '') block = name;
      const isHead = indent === '' && /^(?:apiVersion|kind|type)$/.test(name) && PLAIN.test(value);
      const isName = block === 'metadata' && /^(?:name|namespace)$/.test(name) && PLAIN.test(value);
      const isPlain = line.trim() === '' || /^---\s*$/.test(line) || line === 'metadata:';
      return isHead || isName || isPlain ? line : `${/^ */.exec(line)?.[0] ?? ''}[secret]`;
    })
    .join('\n');
}

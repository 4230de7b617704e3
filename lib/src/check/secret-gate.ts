/** Keeps secrets out of what is rendered: every file is looked through before it is written. */
import { findSecrets, maskSecrets } from '../contract/secret-shapes.ts';
import type { KubernetesObject } from '../manifests/kubernetes-object.ts';
import { yamlDocuments } from '../render/yaml.ts';
import { isAsWritten } from '../render/yaml-file.ts';
import { findEncodedSecrets } from './encoded-secret.ts';
import { findObjectSecrets } from './object-secrets.ts';

/** A rendered file; `objects` are those that its content holds: none for a file that is no YAML, or that was not parsed. */
export interface SecretGateFile {
  readonly path: string;
  readonly content: string;
  readonly objects?: readonly KubernetesObject[];
}

/** A secret in a rendered file. The message names the place and the shape, never the value. */
export interface SecretGateFinding {
  readonly code: 'output-secret';
  readonly file: string;
  /** Position of the object in the file, from 0; absent when only the text was read. */
  readonly index?: number;
  /** `Kind/name`; of an item of a List, its own. */
  readonly object?: string;
  /** JSON pointer within the object. */
  readonly pointer?: string;
  readonly message: string;
}

/** White space and escapes differ between a value and the text that holds it. */
function bare(text: string): string {
  return text.replace(/\s|\\[nrt]|["'\\]/g, '');
}

function holdsSecretObject(path: string, content: string): boolean {
  if (path.endsWith('.json')) {
    return (
      /"kind"[ \t]{0,8}:[ \t]{0,8}"Secret"/.test(content) &&
      /"(?:data|stringData)"[ \t]{0,8}:[ \t]{0,8}\{/.test(content)
    );
  }
  return content
    .split(/^---/m)
    .some(
      (document) =>
        /^["']?kind["']?:[ \t]{0,8}["']?Secret["']?[ \t\r]{0,8}$/m.test(document) &&
        /^["']?(?:data|stringData)["']?:/m.test(document),
    );
}

function checkObjects(file: SecretGateFile, seen: Set<string>): SecretGateFinding[] {
  const place = maskSecrets(file.path);
  return (file.objects ?? []).flatMap((inFile, index) =>
    findObjectSecrets(inFile).map(({ object, pointer, shape, texts }) => {
      for (const text of texts) seen.add(bare(text));
      const what = shape === 'secret-object' ? 'the values of a Secret' : `what looks like a secret (${shape})`;
      const message = `${object} in ${place} has ${what} at ${pointer}; a rendered file may only refer to a Secret.`;
      return { code: 'output-secret', file: file.path, index, object, pointer, message };
    }),
  );
}

function checkContent(file: SecretGateFile, seen: ReadonlySet<string>): SecretGateFinding[] {
  const { path, content } = file;
  const findings: SecretGateFinding[] = [];
  const place = maskSecrets(path);
  if ((file.objects ?? []).length === 0 && holdsSecretObject(path, content)) {
    const message = `${place} holds a Secret with values; a rendered file may only refer to a Secret.`;
    findings.push({ code: 'output-secret', file: path, message });
  }
  const found = [...findSecrets(content), ...findEncodedSecrets(content)].sort((a, b) => a.start - b.start);
  let line = 1;
  let at = 0;
  for (const { shape, start, end } of found) {
    for (; at < start; at += 1) if (content.charAt(at) === '\n') line += 1;
    if (seen.has(bare(content.slice(start, end)))) continue;
    const message = `${place} has what looks like a secret (${shape}) in line ${line}; a rendered file may only refer to a Secret.`;
    findings.push({ code: 'output-secret', file: path, message });
  }
  return findings;
}

/** Whether the text is what our writer makes of the objects: then it holds nothing that they do not hold. */
function holdsObjectsOnly(file: SecretGateFile): boolean {
  const { content, objects = [] } = file;
  if (isAsWritten(file)) return true;
  try {
    return objects.length > 0 && yamlDocuments(objects) === content;
  } catch {
    // An object that cannot be written did not make the text.
    return false;
  }
}

/**
 * Every secret in the rendered files, in the order of the files: Secrets that carry values, known shapes anywhere
 * (base64 is decoded), values behind names such as `API_KEY`, and random strings where a person writes freely.
 * An empty list means that the files may be written.
 */
export function checkSecrets(files: readonly SecretGateFile[]): SecretGateFinding[] {
  return files.flatMap((file) => {
    const seen = new Set<string>();
    const ofObjects = checkObjects(file, seen);
    return holdsObjectsOnly(file) ? ofObjects : [...ofObjects, ...checkContent(file, seen)];
  });
}

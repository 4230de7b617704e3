/** Secrets in one Kubernetes object, each with its place. */
import { findOpaqueSecret, findSecret, maskSecrets, secretAssignment } from '../contract/secret-shapes.ts';
import { managerRows, managerTailRows } from '../environment/index.ts';
import type { KubernetesObject } from '../manifests/kubernetes-object.ts';
import { findEncodedSecrets } from './encoded-secret.ts';
import { anyText } from './json-view.ts';

/** A secret at a place of an object. */
export interface ObjectSecret {
  /** `Kind/name`, or the kind alone; of an item of a List, its own. */
  readonly object: string;
  /** JSON pointer within the object. */
  readonly pointer: string;
  /** What it looks like: a shape, or `secret-object` for the data of a Secret. */
  readonly shape: string;
  /** The secret text as it stands in the object; only for telling whether it was found before. Never print it. */
  readonly texts: readonly string[];
}

/** Variables that are made of checked lane fields, and ids that a build chooses: names, which may look random. */
const KNOWN_IDS = new Set([...managerRows, ...managerTailRows].map(({ name }) => name).concat('env-identity'));

type Path = readonly string[];
type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function pointerOf(path: Path): string {
  return path.map((part) => `/${maskSecrets(part).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
}

/** The name that stands beside a value in a list of named values: environment, or params of a Pipeline or Task. */
function nameBeside(path: Path, parent: unknown): string | undefined {
  const field = path.at(-1);
  const list = path.at(-3);
  const named =
    (list === 'env' && field === 'value') || (list === 'params' && (field === 'default' || field === 'value'));
  return named && isFields(parent) ? stringOf(parent['name']) : undefined;
}

/** Whether a person writes freely at this place, so that a random string is no name or digest of ours. */
function isFree(kind: string, path: Path): boolean {
  const [first, second] = path;
  if (kind === 'ConfigMap' && first === 'data') return true;
  if (kind === 'AppProject' && first === 'spec' && second === 'description') return true;
  const list = path.at(-2);
  if (list === 'annotations' || list === 'args' || list === 'command') return true;
  const params = path.lastIndexOf('params');
  return params !== -1 && ['default', 'value'].includes(path[params + 2] ?? '');
}

/** Texts that hold no secret: the same scripts and words are in every object. Those with a name have it before them. */
const cleared = {
  /** Where a person writes freely, beside a name, and everywhere else. */
  anywhere: { words: new Set<string>(), scripts: new Set<string>() },
  /** Where a random string may be a name or a digest of ours. */
  bound: { words: new Set<string>(), scripts: new Set<string>() },
};
/** Bounds of what is remembered: by length, in characters, and by number. */
const WORDS = { longest: 256, most: 5_000 };
const SCRIPTS = { longest: 65_536, most: 50 };

const isCleared = (where: keyof typeof cleared, text: string): boolean =>
  cleared[where][text.length <= WORDS.longest ? 'words' : 'scripts'].has(text);

function clear(where: keyof typeof cleared, text: string): void {
  const isWord = text.length <= WORDS.longest;
  const { longest, most } = isWord ? WORDS : SCRIPTS;
  if (text.length > longest) return;
  const known = cleared[where][isWord ? 'words' : 'scripts'];
  // The names of a lane come often and then never again.
  if (known.size >= most) known.clear();
  known.add(text);
}

const named = (name: string | undefined, text: string): string => (name === undefined ? text : `${name}\0${text}`);

/** The shape and text of a secret in one string. */
function secretIn(text: string, name: string | undefined, free: boolean): { shape: string; text: string } | undefined {
  if (!free && name === undefined && isCleared('bound', text)) return undefined;
  const found = holdsSecretObject(text) ? { shape: 'secret-object', text } : lookIn(text, name, free);
  // Beside a name it does not matter who writes there.
  if (found === undefined) clear(free || name !== undefined ? 'anywhere' : 'bound', named(name, text));
  return found;
}

function lookIn(text: string, name: string | undefined, free: boolean): { shape: string; text: string } | undefined {
  const id = KNOWN_IDS.has(name?.split('/').at(-1) ?? '');
  const plain =
    name !== undefined && !id
      ? secretAssignment(name, text)
      : (findSecret(text) ?? (free && !id ? findOpaqueSecret(text) : undefined));
  const encoded = findEncodedSecrets(text)[0];
  // A known shape says more than that the base64 around it looks random.
  const finding = plain === undefined || plain.shape === 'random-string' ? (encoded ?? plain) : plain;
  return finding === undefined ? undefined : { shape: finding.shape, text: text.slice(finding.start, finding.end) };
}

/** Whether the object is a Secret that carries values; the Secrets that a lane needs are made in the cluster. */
function secretFields(object: Fields): string[] {
  if (object['kind'] !== 'Secret') return [];
  return ['data', 'stringData'].filter((field) => object[field] !== undefined && object[field] !== null);
}

/** Whether a text is the JSON of a Secret with values, as kubectl keeps it in an annotation. */
function holdsSecretObject(text: string): boolean {
  if (!text.includes('"Secret"') || !text.trimStart().startsWith('{')) return false;
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) && secretFields(value).length > 0;
  } catch {
    return false;
  }
}

/**
 * All secrets of an object, in the order of its fields. An item of a List is judged, and named, as an object of its
 * own; its pointers begin with `/items/<position>`, as `base` says.
 */
export function findObjectSecrets(object: KubernetesObject, base = ''): ObjectSecret[] {
  const found: ObjectSecret[] = [];
  const name = object.metadata?.name;
  const kind = anyText(object.kind);
  const label = maskSecrets(typeof name === 'string' ? `${kind}/${name}` : kind);
  const report = (path: Path, shape: string, ...texts: string[]): void => {
    found.push({ object: label, pointer: base + pointerOf(path), shape, texts });
  };

  const visitText = (text: string, path: Path, parent: unknown): void => {
    const key = path.at(-1);
    const inData = object.kind === 'ConfigMap' && path[0] === 'data';
    const beside = nameBeside(path, parent) ?? (inData ? key : undefined);
    if (!isCleared('anywhere', named(beside, text))) {
      const annotation = path.at(-2) === 'annotations' ? key : undefined;
      const secret =
        annotation !== undefined && KNOWN_IDS.has(annotation.split('/').at(-1) ?? '')
          ? secretIn(text, undefined, false)
          : secretIn(text, beside, isFree(object.kind, path));
      if (secret !== undefined) return report(path, secret.shape, secret.text);
    }
    const flag = Array.isArray(parent) ? stringOf(parent[Number(key) - 1]) : undefined;
    if (flag !== undefined && /^--?[A-Za-z][A-Za-z0-9-]{0,60}$/.test(flag) && !text.startsWith('-')) {
      const pair = findSecret(`${flag}=${text}`);
      if (pair !== undefined) report(path, pair.shape, text);
    }
  };

  const path: string[] = [];
  const visit = (value: unknown, parent: unknown): void => {
    if (typeof value === 'string') return visitText(value, path, parent);
    if (typeof value !== 'object' || value === null) return;
    const isList = Array.isArray(value);
    for (const key of Object.keys(value)) {
      const inKey = isList ? undefined : findSecret(key);
      if (inKey !== undefined) report(path, inKey.shape, key.slice(inKey.start, inKey.end));
      path.push(key);
      visit((value as Fields)[key], value);
      path.pop();
    }
  };

  const values = secretFields(object);
  for (const field of values) {
    const held = object[field];
    report(
      [field],
      'secret-object',
      ...(isFields(held) ? Object.values(held).filter((v) => typeof v === 'string') : []),
    );
  }
  const items = object.kind === 'List' && Array.isArray(object['items']) ? object['items'] : [];
  for (const [field, value] of Object.entries(object)) {
    if (values.includes(field) || (field === 'items' && items.length > 0)) continue;
    path.push(field);
    visit(value, object);
    path.pop();
  }
  for (const [index, item] of items.entries()) {
    if (isFields(item)) found.push(...findObjectSecrets(item as KubernetesObject, `${base}/items/${index}`));
  }
  return found;
}

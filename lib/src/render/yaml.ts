import { AgentRunError } from '../errors.ts';
import { isBlock, isPlain, isSafeText, numberText } from './yaml-scalar.ts';

/**
 * The only writer of YAML.
 *
 * One dialect, a subset of YAML 1.1 and of 1.2 that readers of either take alike: block style, two spaces, no
 * anchors, no tags, no folding; a string is plain only if no reader could take it for something else. At the top
 * apiVersion, kind and metadata come first; all other keys follow by code unit; lists stay as given. The bytes depend
 * on the value alone, on no version of a library.
 */
export function yamlDocument(object: object): string {
  const lines: string[] = [];
  writeMap(lines, object as Record<string, unknown>, '', '', topKeys(object));
  return `${lines.join('\n')}\n`;
}

/** Several documents: joined by a line `---`, none before the first. */
export const yamlDocuments = (objects: readonly object[]): string => objects.map(yamlDocument).join('---\n');

const FIRST = ['apiVersion', 'kind', 'metadata'];

function presentKeys(map: object): string[] {
  const keys: string[] = [];
  let last = '';
  let isSorted = true;
  for (const key of Object.keys(map)) {
    if ((map as Record<string, unknown>)[key] === undefined) continue;
    isSorted &&= last <= key;
    last = key;
    keys.push(key);
  }
  // cdk8s gives most maps sorted already.
  return isSorted ? keys : keys.sort();
}

function topKeys(map: object): string[] {
  const keys = presentKeys(map);
  return [...FIRST.filter((key) => keys.includes(key)), ...keys.filter((key) => !FIRST.includes(key))];
}

/** Writes a map; `lead` stands before its first line (the "- " of a list item), `indent` before the others. */
function writeMap(lines: string[], map: Record<string, unknown>, lead: string, indent: string, keys: string[]): void {
  let prefix = lead;
  for (const key of keys) {
    writeValue(lines, map[key], `${prefix}${keyText(key)}:`, indent);
    prefix = indent;
  }
}

/** Writes what stands behind `head`, a key with its colon. */
function writeValue(lines: string[], value: unknown, head: string, indent: string): void {
  if (typeof value !== 'object' || value === null) {
    writeScalar(lines, value, head, `${indent}  `);
  } else if (Array.isArray(value)) {
    if (value.length === 0) lines.push(`${head} []`);
    else {
      lines.push(head);
      for (const item of value) writeItem(lines, item, `${indent}  `);
    }
  } else {
    const keys = presentKeys(value);
    if (keys.length === 0) lines.push(`${head} {}`);
    else {
      lines.push(head);
      writeMap(lines, value as Record<string, unknown>, `${indent}  `, `${indent}  `, keys);
    }
  }
}

function writeItem(lines: string[], item: unknown, indent: string): void {
  const inner = `${indent}  `;
  if (typeof item !== 'object' || item === null) {
    writeScalar(lines, item, `${indent}-`, inner);
  } else if (Array.isArray(item)) {
    writeValue(lines, item, `${indent}-`, indent);
  } else {
    const keys = presentKeys(item);
    if (keys.length === 0) lines.push(`${indent}- {}`);
    else writeMap(lines, item as Record<string, unknown>, `${indent}- `, inner, keys);
  }
}

function writeScalar(lines: string[], value: unknown, head: string, indent: string): void {
  if (typeof value !== 'string') {
    lines.push(`${head} ${scalarText(value)}`);
  } else if (value.includes('\n') && isBlock(safe(value))) {
    const ended = value.endsWith('\n');
    lines.push(`${head} ${ended ? '|' : '|-'}`);
    for (const line of (ended ? value.slice(0, -1) : value).split('\n')) {
      lines.push(line === '' ? '' : indent + line);
    }
  } else {
    lines.push(`${head} ${inlineText(value)}`);
  }
}

function scalarText(value: unknown): string {
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'boolean' || value === null) return String(value);
  throw new AgentRunError('output-text', `a value of type ${typeof value} cannot be written as YAML`);
}

/** Keys as they are written: the same few hundred stand in the objects of every lane. */
const knownKeys = new Map<string, string>();
const MOST_KNOWN = 5_000;

function keyText(key: string): string {
  const known = knownKeys.get(key);
  if (known !== undefined) return known;
  const text = inlineText(key);
  if (knownKeys.size < MOST_KNOWN) knownKeys.set(key, text);
  return text;
}

/** What is plain is safe: it need not be looked through again. */
const inlineText = (text: string): string => (isPlain(text) ? text : JSON.stringify(safe(text)));

function safe(text: string): string {
  if (!isSafeText(text)) {
    throw new AgentRunError(
      'output-text',
      'a text with a control character, line separator or half surrogate pair cannot be written as YAML',
    );
  }
  return text;
}

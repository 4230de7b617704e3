import { AgentRunError } from '../errors.ts';
import { inlineString, isBlock, isSafeText, numberText } from './yaml-scalar.ts';

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

const presentKeys = (map: object): string[] =>
  Object.keys(map)
    .filter((key) => (map as Record<string, unknown>)[key] !== undefined)
    .sort();

function topKeys(map: object): string[] {
  const keys = presentKeys(map);
  return [...FIRST.filter((key) => keys.includes(key)), ...keys.filter((key) => !FIRST.includes(key))];
}

/** Writes a map; `lead` stands before its first line (the "- " of a list item), `indent` before the others. */
function writeMap(lines: string[], map: Record<string, unknown>, lead: string, indent: string, keys: string[]): void {
  let prefix = lead;
  for (const key of keys) {
    writeValue(lines, map[key], `${prefix}${inlineString(safe(key))}:`, indent);
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
  if (typeof value === 'string' && isBlock(safe(value))) {
    const ended = value.endsWith('\n');
    lines.push(`${head} ${ended ? '|' : '|-'}`);
    for (const line of (ended ? value.slice(0, -1) : value).split('\n')) {
      lines.push(line === '' ? '' : indent + line);
    }
  } else {
    lines.push(`${head} ${scalarText(value)}`);
  }
}

function scalarText(value: unknown): string {
  if (typeof value === 'string') return inlineString(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'boolean' || value === null) return String(value);
  throw new AgentRunError('output-text', `a value of type ${typeof value} cannot be written as YAML`);
}

function safe(text: string): string {
  if (!isSafeText(text)) {
    throw new AgentRunError(
      'output-text',
      'a text with a control character, line separator or half surrogate pair cannot be written as YAML',
    );
  }
  return text;
}

/** Names that the typed classes spell otherwise than the API. */
const RENAMED: ReadonlyMap<string, string> = new Map([['clusterIp', 'clusterIP']]);

type Fields = Record<string, unknown>;

/** Props as plain data, in the API's spelling; a Quantity or IntOrString is the value that it carries. */
export function plainProps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainProps);
  if (typeof value !== 'object' || value === null) return value;
  const name: unknown = value.constructor?.name;
  if (name === 'Quantity' || name === 'IntOrString') return (value as { value: unknown }).value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [RENAMED.get(key) ?? key, plainProps(item)]));
}

/** The leaves of plain data by JSON pointer: scalars, and empty mappings and lists; what is undefined is not there. */
function leavesOf(value: unknown, pointer = '', leaves = new Map<string, string>()): Map<string, string> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value as Fields) : [];
  if (value !== undefined && entries.length === 0) leaves.set(pointer, JSON.stringify(value));
  for (const [key, item] of entries)
    leavesOf(item, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, leaves);
  return leaves;
}

/**
 * How an object differs from the plain props that it was made of, leaf by leaf. What its class adds, apiVersion and
 * kind, counts only where it was given.
 */
export function changedLeaves(props: unknown, object: unknown): string[] {
  const given = leavesOf(props);
  const kept = leavesOf(object);
  const differences = [...given].flatMap(([pointer, value]) => {
    const now = kept.get(pointer);
    if (now === value) return [];
    return [now === undefined ? `lost ${pointer}: ${value}` : `changed ${pointer}: ${value} to ${now}`];
  });
  const added = [...kept].filter(
    ([pointer]) => !given.has(pointer) && pointer !== '/apiVersion' && pointer !== '/kind',
  );
  return [...differences, ...added.map(([pointer, value]) => `added ${pointer}: ${value}`)];
}

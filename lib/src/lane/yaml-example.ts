const PLAIN = /^(?=.*[A-Za-z])[A-Za-z0-9/][A-Za-z0-9._/@-]*(?::[A-Za-z0-9._/@-]+)*$/;
const OTHER_TYPE = /^(?:true|false|null|yes|no|on|off|y|n|0[xob].*|[0-9.]+e[0-9]+)$/i;

/** A value as one would write it on one line of a YAML file. For the examples of the schema, not for rendered files. */
export function yamlExample(value: unknown): string {
  if (typeof value === 'string') return PLAIN.test(value) && !OTHER_TYPE.test(value) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(yamlExample).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${yamlExample(key)}: ${yamlExample(item)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return String(value);
}

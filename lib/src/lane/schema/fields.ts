/**
 * The kinds of value that lane fields take, as JSON Schema fragments.
 *
 * Each function takes what is particular to one field (description, example) and returns a closed fragment.
 * `x-expected` says in words what a pattern asks for; the diagnostics print it instead of the expression.
 */

const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
const DNS_SUBDOMAIN = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
/** The value grammar of Kubernetes labels, empty excluded. */
export const LABEL_VALUE = '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$';
/** A label key: optional DNS subdomain prefix and "/", then a name of at most 63. */
const LABEL_KEY =
  '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$';
/** git-check-ref-format(1), for the branch names that one writes into a file. */
const GIT_REF =
  '^(?![-/.])(?!.*(?:\\.\\.|//|@\\{|\\\\|\\.lock(?:/|$)|/\\.|/$|\\.$))[^\\u0000-\\u0020\\u007f~^:?*\\[$`"\']+$';
/** scheme://host/path or user@host:path; no white space, no password, no shell or Tekton substitution. */
const GIT_URL =
  '^(?:(?:https?|ssh|git)://(?:[^\\s:@/$`"\'\\\\]+@)?[^\\s@/$`"\'\\\\]+/[^\\s$`"\'\\\\]+|file:///[^\\s$`"\'\\\\]+|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^\\s$`"\'\\\\]+)$';
const RELATIVE_PATH = '^(?!\\.{1,2}(?:/|$))[A-Za-z0-9._-]+(?:/(?!\\.{1,2}(?:/|$))[A-Za-z0-9._-]+)*$';
const IMAGE_BY_DIGEST =
  '^[a-z0-9]+(?:[._-][a-z0-9]+)*(?::[0-9]+)?(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)+(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64}$';
const IMAGE_BY_TAG_AND_DIGEST =
  '^[a-z0-9]+(?:[._-][a-z0-9]+)*(?::[0-9]+)?(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}@sha256:[0-9a-f]{64}$';
/** Kubernetes quantities (apimachinery resource.Quantity), positive. */
export const QUANTITY = '^(?=.*[1-9])[0-9]+(?:\\.[0-9]+)?(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$';
export const ENV_NAME = '^[A-Z_][A-Z0-9_]*$';
const POSTGRES_NAME = '^[a-z_][a-z0-9_]{0,62}$';
const CIDR_V4 =
  '^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])/(?:3[0-2]|[12]?[0-9])$';
/** A list item that is written into a comma-separated variable. */
const CSV_ITEM = '^[^\\s,\\u0000-\\u001f\\u007f]+$';
const HTTP_URL = '^https?://[^\\s@/$`"\'\\\\]+(?:/[^\\s$`"\'\\\\]*)?$';

function text<const P extends string, const E extends string>(
  pattern: P,
  expected: string,
  description: string,
  example: E,
) {
  return { type: 'string', pattern, 'x-expected': expected, description, examples: [example] } as const;
}

export const dnsLabel = (description: string, example: string, maxLength = 63) =>
  ({
    ...text(
      DNS_LABEL,
      `a DNS-1123 label (lower-case letters, digits and "-", at most ${maxLength})`,
      description,
      example,
    ),
    maxLength,
  }) as const;

export const dnsSubdomain = (description: string, example: string) =>
  ({
    ...text(DNS_SUBDOMAIN, 'a DNS-1123 subdomain (lower-case letters, digits, "-" and ".")', description, example),
    maxLength: 253,
  }) as const;

export const labelValue = (description: string, example: string) =>
  ({
    ...text(LABEL_VALUE, 'a Kubernetes label value (letters, digits, "-", "_", "."; at most 63)', description, example),
    maxLength: 63,
  }) as const;

export const gitUrl = (description: string, example: string) =>
  text(GIT_URL, 'a git URL (https, http, ssh, git, file, or user@host:path) without a password', description, example);

export const gitRef = (description: string, example: string) =>
  ({ ...text(GIT_REF, 'a git branch name', description, example), maxLength: 200 }) as const;

export const relativePath = (description: string, example: string) =>
  text(
    RELATIVE_PATH,
    'a relative path of letters, digits, ".", "_", "-" and "/", without "." or ".." segments',
    description,
    example,
  );

export const jsonPath = (description: string, example: string) =>
  text(
    `^(?=.*\\.json$)${RELATIVE_PATH.slice(1)}`,
    'a relative path that ends with ".json", without "." or ".." segments',
    description,
    example,
  );

export const yamlFileName = (description: string, example: string) =>
  text(
    '^[A-Za-z0-9_-][A-Za-z0-9._-]*\\.yaml$',
    'a file name that ends with ".yaml", without "/"',
    description,
    example,
  );

export const imageByDigest = (description: string, example: string) =>
  text(IMAGE_BY_DIGEST, 'an image by digest (registry/name[:tag]@sha256:<64 hex>)', description, example);

export const imageByTagAndDigest = (description: string, example: string) =>
  ({
    ...text(
      IMAGE_BY_TAG_AND_DIGEST,
      'an image by tag and digest (registry/name:tag@sha256:<64 hex>)',
      description,
      example,
    ),
  }) as const;

export const imagePrefix = (description: string, example: string) =>
  text(
    '^[a-z0-9]+(?:[._-][a-z0-9]+)*(?::[0-9]+)?(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$',
    'a registry and path without a scheme and without a trailing "/"',
    description,
    example,
  );

export const imageName = (description: string, example: string) =>
  text('^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$', 'one segment of an image name', description, example);

export const httpUrl = (description: string, example: string) =>
  text(HTTP_URL, 'an http or https URL without user, password and white space', description, example);

export const quantity = (description: string, example: string) =>
  text(QUANTITY, 'a positive Kubernetes quantity, such as "500m", "2" or "20Gi"', description, example);

export const postgresName = (description: string, example: string) =>
  text(POSTGRES_NAME, 'a PostgreSQL name (lower-case letters, digits and "_", at most 63)', description, example);

export const cidr = (description: string, example: string) =>
  text(CIDR_V4, 'an IPv4 network such as "10.0.0.0/8"', description, example);

export const envName = (description: string, example: string) =>
  text(ENV_NAME, 'an environment variable name (upper-case letters, digits and "_")', description, example);

const secretKey = (description: string, example: string) =>
  ({
    ...text('^[-._a-zA-Z0-9]+$', 'a key of a Secret (letters, digits, "-", "_", ".")', description, example),
    maxLength: 253,
  }) as const;

export const csvItem = (description: string, example: string) =>
  text(CSV_ITEM, 'a text without commas and white space', description, example);

export const labelKey = (description: string, example: string) =>
  text(LABEL_KEY, 'a Kubernetes label key ([domain/]name)', description, example);

export const port = (description: string, example: number) =>
  ({ type: 'integer', minimum: 1, maximum: 65535, description, examples: [example] }) as const;

export const count = (description: string, example: number, minimum = 1) =>
  ({ type: 'integer', minimum, maximum: Number.MAX_SAFE_INTEGER, description, examples: [example] }) as const;

export const flag = (description: string, example: boolean) =>
  ({ type: 'boolean', description, examples: [example] }) as const;

/** The same field, where null (or a missing key, which load turns into null) is an allowed, meaningful value. */
export function nullable<const F extends { readonly type: string; readonly examples: readonly unknown[] }>(field: F) {
  const { type, ...rest } = field;
  return { ...rest, type: [type, 'null'], default: null } as Omit<F, 'type'> & {
    readonly type: readonly [F['type'], 'null'];
    readonly default: null;
  };
}

/** A reference to one key of a Secret in the runtime namespace. */
export const secretRef = (description: string, name: string, key: string) =>
  ({
    type: 'object',
    additionalProperties: false,
    required: ['name', 'key'],
    description,
    examples: [{ name, key }],
    properties: {
      name: dnsSubdomain('Name of the Secret, in the runtime namespace.', name),
      key: secretKey('Key within the Secret.', key),
    },
  }) as const;

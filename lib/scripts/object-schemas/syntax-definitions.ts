import type { Definitions, Schema } from './schema.ts';

const DNS_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const NAME_PART = '[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?';

const text = (pattern: string, expected: string, maxLength?: number): Schema => ({
  type: 'string',
  pattern,
  ...(maxLength === undefined ? {} : { maxLength }),
  'x-expected': expected,
});

/**
 * The forms of single values, each by name. `x-expected` says in words what is asked for: the messages print it
 * instead of the expression.
 */
export const SYNTAX: Definitions = {
  DnsLabel: text(`^${DNS_LABEL}$`, 'a DNS-1123 label (lower-case letters, digits and "-", at most 63)', 63),
  DnsSubdomain: text(
    `^${DNS_LABEL}(\\.${DNS_LABEL})*$`,
    'a DNS-1123 subdomain (lower-case letters, digits, "-" and ".", at most 253)',
    253,
  ),
  ServiceName: text(
    '^[a-z]([-a-z0-9]*[a-z0-9])?$',
    'a DNS-1035 label (lower-case letters, digits and "-", beginning with a letter, at most 63)',
    63,
  ),
  PathSegment: text('^(?!\\.{1,2}$)[^/%\\s]+$', 'a name without "/", "%" and white space', 253),
  PortName: text(
    '^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$',
    'a port name (lower-case letters, digits and single "-", with a letter, at most 15)',
    15,
  ),
  Port: { type: 'integer', minimum: 1, maximum: 65535, 'x-expected': 'a port from 1 to 65535' },
  PortOrName: {
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 65535,
    maxLength: 15,
    pattern: '^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$',
    'x-expected': 'a port from 1 to 65535, or a port name (lower-case letters, digits and single "-", at most 15)',
  },
  CountOrPercent: {
    type: ['integer', 'string'],
    minimum: 0,
    pattern: '^(100|[1-9]?[0-9])%$',
    'x-expected': 'a number that is not negative, or a percentage such as "25%"',
  },
  Quantity: {
    type: ['string', 'number'],
    minimum: 0,
    pattern: '^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$',
    'x-expected': 'a quantity that is not negative, such as "500m", "2" or "20Gi"',
  },
  LabelKey: text(
    `^(?=([^/]{1,253}/)?[^/]{1,63}$)(${DNS_LABEL}(\\.${DNS_LABEL})*/)?${NAME_PART}$`,
    'a key of the form [domain/]name, the name at most 63 (letters, digits, "-", "_", ".")',
  ),
  LabelValue: text(
    `^(${NAME_PART})?$`,
    'a label value (letters, digits, "-", "_", ".", beginning and ending with a letter or digit, at most 63)',
    63,
  ),
  EnvName: text('^[A-Za-z_][A-Za-z0-9_]*$', 'an environment variable name (letters, digits and "_")'),
  DataKey: text('^(?!\\.{1,2}$)[-._a-zA-Z0-9]+$', 'a key (letters, digits, "-", "_", ".", at most 253)', 253),
  AbsolutePath: text('^/[^:\\u0000]*$', 'an absolute path without ":"'),
  RelativePath: text('^(?!/)(?!(.*/)?\\.\\.(/|$))[^\\u0000]+$', 'a relative path without ".." segments'),
  ImageName: text('^[^\\s]+$', 'an image reference without white space'),
  Id: { type: 'integer', minimum: 0, maximum: 2147483647, 'x-expected': 'a user or group id from 0 to 2147483647' },
  FileMode: {
    type: 'integer',
    minimum: 0,
    maximum: 511,
    'x-expected': 'file permission bits from 0 to 511 (octal 777)',
  },
  Capability: text('^(ALL|[A-Z][A-Z0-9_]*)$', 'a capability in upper case without "CAP_", such as "NET_BIND_SERVICE"'),
  Cidr: text(
    '^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}/(3[0-2]|[12]?[0-9])|(?=.*:.*:)[0-9a-fA-F:.]+/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$',
    'a network such as "10.0.0.0/8" or "fd00::/8"',
  ),
  /** Go's time.ParseDuration, without sign. */
  Duration: text('^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$', 'a duration such as "30s", "5m" or "1h30m"'),
  /** Argo CD also reads a bare number as seconds. */
  ArgoDuration: text('^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^[0-9]+$', 'a duration such as "5s", "3m" or "60"'),
  NonEmpty: { type: 'string', minLength: 1, 'x-expected': 'a text that is not empty' },
  ClusterUrl: text('^https?://[^\\s/@]+(/[^\\s]*)?$', 'the URL of a Kubernetes API server'),
  RoleGroup: { type: 'string', enum: ['rbac.authorization.k8s.io'] },
};

import { CANCEL_STAGES, CLEANUP_ORDER, DELIVERY_MODES, RUNNER_PLACEMENTS } from '../../contract/lifecycle.ts';
import {
  cidr,
  count,
  csvItem,
  dnsLabel,
  dnsSubdomain,
  flag,
  httpUrl,
  LABEL_VALUE,
  labelKey,
  nullable,
} from './fields.ts';

const retentionSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['maxRunners', 'cleanupOrder', 'activeHeartbeatMaxAgeMs', 'selectors', 'ageBasedCleanup'],
  description: 'Which finished runners are kept.',
  examples: [{ maxRunners: 20, cleanupOrder: CLEANUP_ORDER }],
  properties: {
    maxRunners: count('Number of runner Jobs that are kept.', 20),
    cleanupOrder: {
      type: 'string',
      const: CLEANUP_ORDER,
      description: 'Which runner goes first when there are too many.',
      examples: [CLEANUP_ORDER],
    },
    activeHeartbeatMaxAgeMs: count('A runner whose heartbeat is younger than this many ms is active.', 120000),
    selectors: {
      type: 'object',
      additionalProperties: false,
      required: ['matchLabels', 'jobNamePrefixes'],
      description: 'Which Jobs belong to this lane.',
      examples: [{ jobNamePrefixes: ['agentrun-v01-runner'] }],
      properties: {
        matchLabels: {
          type: 'object',
          minProperties: 1,
          propertyNames: labelKey('A label key.', 'app.kubernetes.io/component'),
          additionalProperties: {
            type: 'string',
            pattern: LABEL_VALUE,
            maxLength: 63,
            'x-expected': 'a Kubernetes label value (letters, digits, "-", "_", "."; at most 63)',
          },
          description: 'Labels of the runner Jobs; must be the ones that the manager stamps on them.',
          examples: [{ 'app.kubernetes.io/component': 'runner' }],
        },
        jobNamePrefixes: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: csvItem('A prefix of Job names.', 'agentrun-v01-runner'),
          description: 'Name prefixes of the runner Jobs; must contain `jobNamePrefix`.',
          examples: [['agentrun-v01-runner']],
        },
      },
    },
    ageBasedCleanup: {
      type: 'object',
      additionalProperties: false,
      required: ['enabled'],
      description: 'Removal of runner Jobs by age.',
      examples: [{ enabled: true, maxAgeHours: 72 }],
      properties: {
        enabled: flag('Whether old runner Jobs are removed by age.', true),
        maxAgeHours: nullable(count('Age in hours; needed when enabled.', 72)),
      },
      if: { properties: { enabled: { const: true } }, required: ['enabled'] },
      then: { required: ['maxAgeHours'], properties: { maxAgeHours: { type: 'integer' } } },
    },
  },
} as const;

const cancelLifecycleSchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'deliveryMode',
    'gracefulAbortMs',
    'killEscalationMs',
    'staleHeartbeatFencingMs',
    'lateWriteFencing',
    'eventStages',
  ],
  description: 'How a cancel proceeds. All times count from the cancel request.',
  examples: [{ deliveryMode: 'poll', gracefulAbortMs: 10000, killEscalationMs: 30000 }],
  properties: {
    deliveryMode: {
      type: 'string',
      enum: DELIVERY_MODES,
      description: 'How a runner hears of it: with its next poll or heartbeat, or by waking a waiting poll.',
      examples: ['poll'],
    },
    gracefulAbortMs: count('Time for a clean abort, in ms.', 10000, 0),
    killEscalationMs: count('Time until the agent is killed, in ms; greater than `gracefulAbortMs`.', 30000),
    staleHeartbeatFencingMs: count(
      'Lease of a runner: after this many ms without a heartbeat it is fenced off; greater than `killEscalationMs`.',
      90000,
    ),
    lateWriteFencing: {
      type: 'object',
      additionalProperties: false,
      required: ['enabled'],
      description: 'What happens to writes of a runner that was fenced off.',
      examples: [{ enabled: true }],
      properties: { enabled: flag('Whether such writes are refused.', true) },
    },
    eventStages: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: CANCEL_STAGES, description: 'A cancel stage.', examples: ['requested'] },
      description: 'The cancel stages that become events.',
      examples: [['requested', 'delivered', 'terminal']],
    },
  },
} as const;

export const runnerSchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'serviceAccount',
    'jobNamePrefix',
    'idleTimeoutMs',
    'backendRetry',
    'retention',
    'cancelLifecycle',
    'noProxyExtra',
  ],
  description: 'The runners: their account, timing, retention and network.',
  examples: [{ serviceAccount: 'agentrun-v01-runner', jobNamePrefix: 'agentrun-v01-runner', idleTimeoutMs: 120000 }],
  properties: {
    serviceAccount: dnsLabel('ServiceAccount of runner pods, and prefix of its Role.', 'agentrun-v01-runner'),
    jobNamePrefix: dnsLabel('Prefix of the names of runner Jobs.', 'agentrun-v01-runner', 40),
    idleTimeoutMs: count('A runner without work leaves after this many ms.', 120000),
    backendRetry: {
      type: 'object',
      additionalProperties: false,
      required: ['maxAttempts', 'initialBackoffMs', 'maxBackoffMs'],
      description: 'Retries of a runner whose attempt was lost.',
      examples: [{ maxAttempts: 3, initialBackoffMs: 1000, maxBackoffMs: 30000 }],
      properties: {
        maxAttempts: count('Number of attempts.', 3),
        initialBackoffMs: count('Wait before the second attempt, in ms.', 1000, 0),
        maxBackoffMs: count('Longest wait between attempts, in ms; not below `initialBackoffMs`.', 30000, 0),
      },
    },
    retention: retentionSchema,
    cancelLifecycle: cancelLifecycleSchema,
    egressProxyUrl: nullable({
      ...httpUrl('Proxy for traffic of the runners; null for none.', 'http://proxy.example.com:3128'),
    }),
    noProxyExtra: {
      type: 'array',
      uniqueItems: true,
      items: csvItem('A host or domain suffix.', '.svc'),
      description: 'Hosts that runners reach without the proxy.',
      examples: [['.svc', '.cluster.local']],
    },
    placement: {
      type: 'string',
      enum: RUNNER_PLACEMENTS,
      default: 'kubernetes-job',
      description: 'Where runners live: a Kubernetes Job each, or child processes of the manager.',
      examples: ['kubernetes-job'],
    },
    runtimeClassName: nullable(
      dnsSubdomain('RuntimeClass of runner pods (a sandbox); null for the default.', 'gvisor'),
    ),
  },
} as const;

/** Default runner egress: everything but the cloud metadata address. */
const DEFAULT_RUNNER_EGRESS = [{ cidr: '0.0.0.0/0', except: ['169.254.169.254/32'] }] as const;

export const networkSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'What the pods of this lane may reach.',
  examples: [{ runnerEgress: [{ cidr: '10.20.0.0/16' }] }],
  properties: {
    runnerEgress: {
      type: 'array',
      default: DEFAULT_RUNNER_EGRESS,
      description: 'Networks that runners may reach, beside DNS and the manager.',
      examples: [[{ cidr: '0.0.0.0/0', except: ['169.254.169.254/32'] }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['cidr'],
        description: 'One network.',
        examples: [{ cidr: '10.20.0.0/16' }],
        properties: {
          cidr: cidr('The network.', '0.0.0.0/0'),
          except: {
            type: 'array',
            uniqueItems: true,
            default: [],
            items: cidr('A network inside `cidr`.', '169.254.169.254/32'),
            description: 'Networks inside `cidr` that stay closed.',
            examples: [['169.254.169.254/32']],
          },
        },
      },
    },
  },
} as const;

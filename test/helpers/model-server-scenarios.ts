import type { ModelStep, ModelUsage } from './model-server-wire.ts';

/** What the model says: the n-th reply answers the request that carries n results of tools. */
export interface Scenario {
  readonly replies?: readonly (readonly ModelStep[])[];
  readonly usage?: ModelUsage;
  /** An answer of this status instead, in the first `times` requests, or in all. */
  readonly error?: {
    readonly status: number;
    readonly type: string;
    readonly code?: string;
    readonly message: string;
    readonly retryAfterS?: number;
    readonly times?: number;
  };
}

const refusal = (status: number, type: string, message: string, more: object = {}): Scenario => ({
  error: { status, type, message, ...more },
});

/** A prompt that holds `[[name]]` gets the scenario of that name; any other gets `echo`. */
export const SCENARIOS = {
  echo: {
    replies: [[{ reasoning: 'Thinking about the prompt.' }, { text: 'ECHO: {{prompt}}' }]],
    usage: { input: 120, cached: 20, output: 30, reasoning: 10 },
  },
  count: { replies: [[{ text: 'one two three four five six seven eight nine ten', delayMs: 200 }]] },
  silent: { replies: [[{ wait: 600_000 }]] },
  tool: {
    replies: [
      [{ text: 'I will run a command.' }, { shell: 'echo hello-from-tool > tool-out.txt; cat tool-out.txt; pwd' }],
      [{ text: 'Done: the command ran.' }],
    ],
  },
  environment: { replies: [[{ shell: 'env' }], [{ text: 'Shown.' }]] },
  write: {
    replies: [
      [{ write: { path: 'written.txt', content: 'written by\nthe agent' } }],
      [{ text: 'Done: it is written.' }],
    ],
  },
  toolfail: { replies: [[{ shell: 'echo oops >&2; exit 3' }], [{ text: 'The command failed.' }]] },
  ticks: {
    replies: [
      [{ shell: 'for i in $(seq 1 60); do echo tick $i; echo $i >> ticks.txt; sleep 1; done' }],
      [{ text: 'Ticked.' }],
    ],
  },
  daemon: {
    replies: [
      [{ shell: 'setsid nohup sh -c "while :; do date +%N > beat.txt; sleep 0.2; done" >/dev/null 2>&1 & sleep 60' }],
      [{ text: 'Never.' }],
    ],
  },
  sleeping: { replies: [[{ shell: 'sleep 60' }], [{ text: 'Slept.' }]] },
  working: {
    replies: [[{ shell: 'end=$((SECONDS + 9)); while [ $SECONDS -lt $end ]; do :; done' }], [{ text: 'Worked.' }]],
  },
  // Codex gives a command back to the model before it has ended.
  background: {
    replies: [
      [{ shell: 'for i in 1 2 3 4 5 6 7 8; do sleep 0.3; echo late $i; done', args: { yield_time_ms: 300 } }],
      [{ text: 'It runs on.' }],
    ],
  },
  flood: { replies: [[{ shell: 'yes flooding | head -c 30000000' }], [{ text: 'Flooded.' }]] },
  garbage: {
    replies: [[{ shell: "printf '\\377\\376\\000A\\n\\355\\240\\200 half a pair\\n'" }], [{ text: 'Printed.' }]],
  },
  escalate: {
    replies: [
      [
        {
          shell: 'echo out > escalated.txt',
          args: { sandbox_permissions: 'require_escalated', justification: 'May I write outside?' },
        },
      ],
      [{ text: 'Escalated.' }],
    ],
  },
  e401: refusal(401, 'invalid_request_error', 'incorrect API key provided', { code: 'invalid_api_key' }),
  e429: refusal(429, 'rate_limit_exceeded', 'slow down', { retryAfterS: 1 }),
  e500: refusal(500, 'server_error', 'internal error'),
  e400: refusal(400, 'invalid_request_error', 'bad request'),
  quota: refusal(429, 'insufficient_quota', 'you exceeded your quota', { code: 'insufficient_quota' }),
  context: refusal(400, 'invalid_request_error', 'prompt is too long', { code: 'context_length_exceeded' }),
  drop: { replies: [[{ text: 'this answer will be ' }, { drop: true }]] },
  dropOnce: {
    replies: [[{ text: 'this answer will be ' }, { drop: true, times: 1 }, { text: 'whole the second time.' }]],
  },
} as const satisfies Readonly<Record<string, Scenario>>;

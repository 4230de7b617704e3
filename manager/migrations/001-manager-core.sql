-- Runs, their commands and events, the sessions that outlive them, and the attempts that serve them.
-- Keys are compared by byte (COLLATE "C"), so that the order of a page is the same on every machine.

CREATE SEQUENCE agentrun_session_version_seq;

CREATE TABLE agentrun_sessions (
  session_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  project_id text NOT NULL,
  backend_profile text NOT NULL,
  conversation_id text,
  thread_id text,
  title text,
  metadata jsonb NOT NULL DEFAULT '{}',
  summary jsonb NOT NULL DEFAULT '{}',
  version bigint NOT NULL DEFAULT nextval('agentrun_session_version_seq'),
  execution_state text NOT NULL DEFAULT 'idle' CHECK (execution_state IN ('idle', 'running', 'terminal')),
  -- The pair is written together: the last command belongs to the last run.
  last_run_id text COLLATE "C",
  last_command_id text COLLATE "C",
  active_run_id text COLLATE "C",
  active_command_id text COLLATE "C",
  terminal_status text CHECK (terminal_status IN ('completed', 'failed', 'blocked', 'cancelled')),
  failure_kind text,
  last_activity_at timestamptz,
  expires_at timestamptz,
  -- Each turn moves the expiry at least so far from its end; null: the session never expires.
  ttl_ms bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  storage_kind text NOT NULL DEFAULT 'none' CHECK (storage_kind IN ('none', 'pvc', 'evicted')),
  storage_generation integer NOT NULL DEFAULT 0,
  storage_pvc_name text,
  storage_namespace text,
  storage_pvc_phase text,
  storage_size_bytes bigint,
  storage_files_count integer,
  storage_sha256 text,
  storage_updated_at timestamptz,
  storage_evicted_at timestamptz,
  codex_rollout_subdir text NOT NULL DEFAULT 'sessions',
  CHECK ((storage_kind = 'evicted') = (execution_state = 'terminal')),
  CHECK (active_command_id IS NULL OR active_run_id IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX agentrun_sessions_updated_idx ON agentrun_sessions (updated_at DESC, session_id);
CREATE INDEX agentrun_sessions_control_idx ON agentrun_sessions (execution_state, updated_at DESC, session_id);
CREATE INDEX agentrun_sessions_profile_idx ON agentrun_sessions (backend_profile, updated_at DESC, session_id);
CREATE INDEX agentrun_sessions_expiry_idx ON agentrun_sessions (expires_at) WHERE storage_kind = 'pvc';

CREATE TABLE agentrun_session_read_cursors (
  session_id text COLLATE "C" NOT NULL REFERENCES agentrun_sessions ON DELETE CASCADE,
  reader_id text COLLATE "C" NOT NULL,
  session_version bigint NOT NULL,
  read_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (session_id, reader_id)
);

CREATE TABLE agentrun_runs (
  id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  project_id text NOT NULL,
  provider_id text NOT NULL,
  backend_profile text NOT NULL,
  workspace_ref jsonb NOT NULL,
  execution_policy jsonb NOT NULL,
  resource_bundle_ref jsonb,
  trace_sink jsonb,
  metadata jsonb NOT NULL DEFAULT '{}',
  session_id text COLLATE "C" REFERENCES agentrun_sessions,
  session_ref jsonb,
  status text NOT NULL DEFAULT 'pending' CHECK (
    status IN ('pending', 'claimed', 'running', 'cancelling', 'completed', 'failed', 'blocked', 'cancelled')
  ),
  terminal_status text CHECK (terminal_status IN ('completed', 'failed', 'blocked', 'cancelled')),
  failure_kind text,
  failure_message text,
  diagnosis jsonb,
  cancel_requested_at timestamptz,
  cancel_reason text,
  cancel_receipts jsonb NOT NULL DEFAULT '{}',
  -- The lease. The epoch is raised by every claim and every takeover, and never falls.
  claimed_by text,
  attempt_id text COLLATE "C",
  lease_epoch bigint NOT NULL DEFAULT 0,
  lease_expires_at timestamptz,
  heartbeat_at timestamptz,
  -- The number of the last event that the holder of the epoch appended, counted from 1 within the epoch.
  producer_seq integer NOT NULL DEFAULT 0,
  attempt_count integer NOT NULL DEFAULT 0,
  lost_attempts integer NOT NULL DEFAULT 0,
  -- Whether a lost attempt is replaced by the manager: true once a runner job was asked for.
  placed boolean NOT NULL DEFAULT false,
  -- When somebody looks at a run that has no live lease; no run that is open is without the one or the other.
  look_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  last_event_seq integer NOT NULL DEFAULT 0,
  last_event_at timestamptz,
  last_command_seq integer NOT NULL DEFAULT 0,
  event_bytes bigint NOT NULL DEFAULT 0,
  dropped_events integer NOT NULL DEFAULT 0,
  -- Runs of a session are in the order in which they got its lock, not in that of their transactions.
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((terminal_status IS NOT NULL) = (status IN ('completed', 'failed', 'blocked', 'cancelled'))),
  CHECK (terminal_status IS NULL OR terminal_status = status),
  CHECK ((terminal_status IS NOT NULL) = (ended_at IS NOT NULL)),
  CHECK (status NOT IN ('claimed', 'running') OR claimed_by IS NOT NULL),
  CHECK ((claimed_by IS NULL) = (lease_expires_at IS NULL)),
  CHECK (terminal_status IS NULL OR claimed_by IS NULL),
  CHECK (terminal_status IS NOT NULL OR claimed_by IS NOT NULL OR look_at IS NOT NULL),
  CHECK ((status = 'cancelling') <= (cancel_requested_at IS NOT NULL))
) WITH (fillfactor = 60);
CREATE UNIQUE INDEX agentrun_runs_open_session_idx ON agentrun_runs (session_id) WHERE terminal_status IS NULL;
-- Every open run, for the duties. Nothing in it changes while a runner beats or appends.
CREATE INDEX agentrun_runs_open_idx ON agentrun_runs (id) WHERE terminal_status IS NULL;
CREATE INDEX agentrun_runs_created_idx ON agentrun_runs (created_at DESC, id DESC);
CREATE INDEX agentrun_runs_session_idx ON agentrun_runs (session_id, created_at, id);
CREATE INDEX agentrun_runs_ended_idx ON agentrun_runs (ended_at) WHERE terminal_status IS NOT NULL;

CREATE VIEW agentrun_leases AS
SELECT id AS run_id, claimed_by AS runner_id, attempt_id, lease_epoch, lease_expires_at, heartbeat_at AS updated_at
FROM agentrun_runs
WHERE claimed_by IS NOT NULL;

CREATE TABLE agentrun_commands (
  id text COLLATE "C" PRIMARY KEY,
  run_id text COLLATE "C" NOT NULL REFERENCES agentrun_runs ON DELETE CASCADE,
  seq integer NOT NULL CHECK (seq >= 1),
  type text NOT NULL CHECK (type IN ('turn', 'steer')),
  payload jsonb NOT NULL,
  payload_hash text NOT NULL,
  idempotency_key text,
  state text NOT NULL DEFAULT 'pending' CHECK (
    state IN ('pending', 'acknowledged', 'completed', 'failed', 'cancelled')
  ),
  terminal_status text CHECK (terminal_status IN ('completed', 'failed', 'blocked', 'cancelled')),
  failure_kind text,
  failure_message text,
  diagnosis jsonb,
  thread_id text,
  turn_id text,
  target_command_id text COLLATE "C",
  steer_delivery jsonb,
  cancel_requested_at timestamptz,
  cancel_reason text,
  cancel_receipts jsonb NOT NULL DEFAULT '{}',
  attempt_id text COLLATE "C",
  acknowledged_at timestamptz,
  -- The newest event of the run when the command was acknowledged: later ones of the runner are its reports.
  acknowledged_seq integer,
  output_text text,
  output_truncated boolean NOT NULL DEFAULT false,
  usage jsonb,
  changes jsonb,
  ended_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (run_id, seq),
  CHECK ((terminal_status IS NOT NULL) = (state IN ('completed', 'failed', 'cancelled'))),
  CHECK ((terminal_status IS NOT NULL) = (ended_at IS NOT NULL)),
  CHECK (state <> 'acknowledged' OR (acknowledged_at IS NOT NULL AND attempt_id IS NOT NULL)),
  CHECK (type = 'steer' OR (target_command_id IS NULL AND steer_delivery IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX agentrun_commands_acknowledged_turn_idx ON agentrun_commands (run_id)
WHERE type = 'turn' AND state = 'acknowledged';
CREATE INDEX agentrun_commands_open_idx ON agentrun_commands (run_id, seq) WHERE terminal_status IS NULL;

-- Its run is there whenever an event is written: the same statement updates the row. A foreign key would look again for
-- each event, which is a third of the cost of an append; so the events of a run that is deleted go by a trigger.
CREATE TABLE agentrun_events (
  run_id text COLLATE "C" NOT NULL,
  seq integer NOT NULL CHECK (seq >= 1),
  type text NOT NULL CHECK (
    type IN (
      'backend_status', 'error', 'terminal_status', 'user_message', 'assistant_delta', 'assistant_message',
      'reasoning', 'tool_begin', 'tool_output', 'tool_end', 'file_change', 'usage', 'approval', 'retry', 'warning'
    )
  ),
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- The epoch of the runner that appended it; null for the manager's own.
  epoch bigint,
  late boolean NOT NULL DEFAULT false,
  PRIMARY KEY (run_id, seq)
);

CREATE FUNCTION agentrun_delete_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM agentrun_events WHERE run_id IN (SELECT id FROM deleted);
  RETURN NULL;
END
$$;
CREATE TRIGGER agentrun_runs_delete_events AFTER DELETE ON agentrun_runs
REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION agentrun_delete_events();

CREATE TABLE agentrun_runners (
  id text COLLATE "C" PRIMARY KEY,
  run_id text COLLATE "C" REFERENCES agentrun_runs ON DELETE CASCADE,
  attempt_id text COLLATE "C",
  backend_profile text,
  placement text,
  source_commit text,
  metadata jsonb NOT NULL DEFAULT '{}',
  registered_at timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
CREATE INDEX agentrun_runners_run_idx ON agentrun_runners (run_id);
CREATE INDEX agentrun_runners_registered_idx ON agentrun_runners (registered_at DESC, id DESC);

CREATE TABLE agentrun_attempts (
  id text COLLATE "C" PRIMARY KEY,
  run_id text COLLATE "C" NOT NULL REFERENCES agentrun_runs ON DELETE CASCADE,
  number integer NOT NULL CHECK (number >= 1),
  -- SHA-256 of the token; null until a start makes one.
  token_hash bytea UNIQUE,
  placement text NOT NULL CHECK (placement IN ('kubernetes-job', 'host-process', 'external')),
  status text NOT NULL DEFAULT 'created' CHECK (status IN ('created', 'claimed', 'lost', 'ended')),
  runner_id text NOT NULL,
  epoch bigint,
  -- What the placement needs to find it again.
  handle jsonb,
  end_reason text,
  -- A handle without this may still be alive.
  gone_at timestamptz,
  claimed_at timestamptz,
  ended_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (run_id, number),
  CHECK ((status IN ('lost', 'ended')) = (ended_at IS NOT NULL))
);

CREATE TABLE agentrun_runner_jobs (
  id text COLLATE "C" PRIMARY KEY,
  run_id text COLLATE "C" NOT NULL REFERENCES agentrun_runs ON DELETE CASCADE,
  command_id text COLLATE "C" NOT NULL REFERENCES agentrun_commands ON DELETE CASCADE,
  idempotency_key text,
  payload_hash text NOT NULL,
  attempt_id text COLLATE "C" NOT NULL UNIQUE REFERENCES agentrun_attempts ON DELETE CASCADE,
  runner_id text NOT NULL,
  namespace text NOT NULL,
  job_name text NOT NULL,
  manager_url text NOT NULL,
  image text NOT NULL,
  source_commit text NOT NULL,
  service_account_name text,
  result jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX agentrun_runner_jobs_run_command_idx ON agentrun_runner_jobs (run_id, command_id, created_at);

-- What was promised in a transaction and is done after it: at least once, by whoever has the duty.
CREATE TABLE agentrun_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('start-attempt', 'fence-attempt')),
  run_id text COLLATE "C" NOT NULL REFERENCES agentrun_runs ON DELETE CASCADE,
  attempt_id text COLLATE "C" NOT NULL REFERENCES agentrun_attempts ON DELETE CASCADE,
  due_at timestamptz NOT NULL DEFAULT now(),
  tries integer NOT NULL DEFAULT 0,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (kind, attempt_id)
);
CREATE INDEX agentrun_outbox_due_idx ON agentrun_outbox (due_at);

-- Writes that were refused because another attempt holds the run, counted.
CREATE TABLE agentrun_fenced_writes (
  run_id text COLLATE "C" NOT NULL REFERENCES agentrun_runs ON DELETE CASCADE,
  attempt_id text COLLATE "C" NOT NULL,
  epoch bigint NOT NULL,
  route text NOT NULL,
  count bigint NOT NULL DEFAULT 1,
  first_at timestamptz NOT NULL DEFAULT now(),
  last_at timestamptz NOT NULL DEFAULT now(),
  sample jsonb NOT NULL,
  PRIMARY KEY (run_id, attempt_id, epoch, route)
);

-- Answers to requests that carried a key, kept for seven days.
CREATE TABLE agentrun_idempotency (
  scope text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  request_hash text NOT NULL,
  response json,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (scope, key)
);
CREATE INDEX agentrun_idempotency_age_idx ON agentrun_idempotency (created_at);

-- What people changed of the shipped profiles, and the profiles that they added. Credentials are in the secret store.
CREATE TABLE agentrun_backends (
  profile text COLLATE "C" PRIMARY KEY,
  config jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

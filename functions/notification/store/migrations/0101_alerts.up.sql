-- Alerts: the predecessor's twenty-three columns under their names, then what was added.
create table alerts (
  alert_id uuid primary key,
  correlation_id uuid,
  timestamp timestamptz not null,
  received_at timestamptz not null default now(),
  alert_name text not null,
  alert_type text not null,
  severity text not null,
  description text not null,
  source_service_name text,
  rule_id text not null,
  rule_name text not null,
  actor_type text,
  actor_id text,
  client_ip inet,
  resource_type text,
  resource_id text,
  server_hostname text,
  action_observed text not null,
  analysis_rule_details jsonb not null,
  triggered_by_details jsonb not null,
  impacted_resource_details jsonb not null,
  metadata jsonb not null,
  raw_event_data jsonb not null,
  rule_version text,
  -- (rule, version, group key), derived; the alerts of one group are joined into episodes.
  group_id uuid not null,
  group_key text,
  group_values jsonb,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  -- Which alert event represents the alert, whatever came first: the one that speaks of most events, then
  -- the least by key. Its columns are the ones above.
  emission_count bigint not null,
  emission_key text collate "C" not null,
  -- The time of the evidence that the correlation id was taken from: the earliest one stays.
  correlated_at timestamptz not null
);

create index alerts_by_group on alerts (group_id, first_seen);

-- The events behind the alerts of a group, each once, also when two alerts share it.
create table alert_evidence (
  group_id uuid not null,
  -- SHA-256 of the length-prefixed source and id: those may be longer than an index entry.
  event_key bytea not null,
  source text not null,
  id text not null,
  time timestamptz not null,
  primary key (group_id, event_key)
);

-- What people see: alerts of one group whose spans touch. An episode that was absorbed by another one
-- stays as a signpost.
create table episodes (
  episode_id uuid primary key references alerts (alert_id),
  group_id uuid not null,
  timestamp timestamptz not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  count bigint not null check (count >= 0),
  status text not null default 'open'
    check (status in ('open', 'acknowledged', 'in_progress', 'resolved', 'suppressed')),
  merged_into uuid,
  -- The transaction that wrote it last: readers follow changes by it without missing late commits.
  changed_by xid8 not null default pg_current_xact_id()
);

create index episodes_by_group on episodes (group_id, last_seen) where merged_into is null;
create index episodes_newest on episodes (timestamp desc, episode_id desc) where merged_into is null;
create index episodes_by_change on episodes (changed_by);

-- The outbox: one row per message to people, written in the transaction of the alert it tells of.
create table deliveries (
  -- Derived from (alert, channel, kind); the receiver sees it as the id of the message.
  delivery_id uuid primary key,
  alert_id uuid not null references alerts (alert_id),
  channel text not null,
  kind text not null,
  message jsonb not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0,
  -- When it may be claimed next: now, after the back-off, or when the claimer's lease ends.
  due_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  last_error text,
  unique (alert_id, channel, kind)
);

create index deliveries_due on deliveries (due_at) where status = 'pending';

-- Events that a function refused for ever or that the broker could not deliver.
create table dead_letters (
  dead_letter_id uuid primary key,
  kind text not null check (kind in ('rejected', 'undeliverable')),
  code text not null,
  detail text not null,
  pointer text,
  -- The function that refused it, or the address the broker could not deliver it to.
  origin text not null,
  event_source text,
  event_id text,
  event_type text,
  event_time text,
  headers jsonb not null,
  body bytea not null,
  truncated boolean not null default false,
  received_at timestamptz not null default now(),
  last_received_at timestamptz not null default now()
);

create index dead_letters_newest on dead_letters (received_at desc, dead_letter_id desc);

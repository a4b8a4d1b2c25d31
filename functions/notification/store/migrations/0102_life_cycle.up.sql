-- Alerts that people work on, in tables that can be kept for years.
--
-- What grows lies in monthly partitions, by when it was stored, so that old months are dropped instead of
-- deleted row by row. That time is a part of every key; uniqueness over all months is kept by the writers,
-- who hold the lock of an alert's group and look the row up before they insert one. A default partition
-- takes what no month does.
--
-- A function's role needs no right to create anything: select, insert, update and delete on these tables,
-- but neither update nor delete on alert_changes and delivery_attempts, which are history.

alter table alerts rename to alerts_before;
alter table alert_evidence rename to alert_evidence_before;
alter table episodes rename to episodes_before;
alter table deliveries rename to deliveries_before;
alter table dead_letters rename to dead_letters_before;

-- The predecessor's twenty-three columns under their names, then what was added.
create table alerts (
  alert_id uuid not null,
  correlation_id uuid,
  timestamp timestamptz not null,
  -- When it was first stored; decides the partition and never changes.
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
  rule_set text,
  -- The window of a correlation: kind, timespan_ms, gap_ms, type.
  time_window jsonb,
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
) partition by range (received_at);

-- The events behind the alerts of a group, each once, also when two alerts share it.
create table alert_evidence (
  group_id uuid not null,
  -- SHA-256 of the length-prefixed source and id: those may be longer than an index entry.
  event_key bytea not null,
  source text not null,
  id text not null,
  time timestamptz not null,
  stored_at timestamptz not null default now()
) partition by range (stored_at);

-- What people see and work on: alerts of one group whose spans touch. An episode that was absorbed by
-- another one stays as a signpost. It carries what lists show and filter, copied from the alert it is named
-- after, so that a page of a list reads one index and one table.
create table episodes (
  episode_id uuid not null,
  -- Of the alert it is named after.
  received_at timestamptz not null,
  group_id uuid not null,
  timestamp timestamptz not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  count bigint not null check (count >= 0),
  merged_into uuid,
  -- The transaction that wrote it last: readers follow changes by it without missing late commits.
  changed_by xid8 not null default pg_current_xact_id(),

  -- The life cycle. Snoozing is an overlay, not a status.
  status text not null default 'open'
    check (status in ('open', 'acknowledged', 'in_progress', 'resolved', 'suppressed')),
  disposition text check (disposition in ('true_positive', 'benign', 'false_positive', 'duplicate', 'test')),
  assignee text,
  snoozed_until timestamptz,
  -- Counts the changes of the life cycle; those of absorbed episodes are added.
  revision bigint not null default 0,
  -- When the life cycle changed last; null when it never did.
  worked_at timestamptz,

  -- Copies for lists.
  alert_name text not null,
  alert_type text not null,
  severity text not null,
  severity_rank smallint not null generated always as (
    case severity
      when 'CRITICAL' then 5 when 'HIGH' then 4 when 'MEDIUM' then 3 when 'LOW' then 2 else 1
    end) stored,
  description text not null,
  source_service_name text,
  rule_id text not null,
  rule_name text not null,
  rule_version text,
  actor_type text,
  actor_id text,
  client_ip inet,
  resource_type text,
  resource_id text,
  server_hostname text,
  action_observed text not null,
  correlation_id uuid,
  tags text[] not null default '{}',
  environment text,
  group_values jsonb
) partition by range (received_at);

-- History: one row for every change of a life cycle. Never changed, never deleted but with its month.
create table alert_changes (
  change_id uuid not null,
  -- The episode as it was named then.
  alert_id uuid not null,
  -- The alert's revision after this change.
  revision bigint not null,
  action text not null check (action in (
    'acknowledge', 'unacknowledge', 'assign', 'snooze', 'unsnooze', 'resolve', 'reopen', 'comment', 'merge')),
  changed_at timestamptz not null default clock_timestamp(),
  actor_type text not null check (actor_type in ('user', 'rule', 'system')),
  actor_id text not null,
  reason text,
  before jsonb not null,
  after jsonb not null
) partition by range (changed_at);

-- Messages to people, one row per message and channel, written in the transaction that gave rise to it.
create table deliveries (
  -- Derived from what it tells of; the receiver sees it as the id of the message, on every attempt.
  delivery_id uuid not null,
  -- The alerts it tells of; empty for a test.
  alert_ids uuid[] not null,
  channel text not null,
  -- Why: raised, reopened, repeated, escalated, digest, resolved, test.
  kind text not null,
  -- The route that decided it, where one did.
  route text,
  message jsonb not null,
  status text not null default 'pending'
    check (status in ('pending', 'delivered', 'failed', 'muted', 'discarded')),
  -- What muted it: a silence, an inhibition, a mute time.
  muted_by text,
  attempts integer not null default 0,
  -- When it may be claimed next: now, after the back-off, or when the claimer's lease ends.
  due_at timestamptz not null default now(),
  -- No attempt begins after this: the delivery is a dead letter then.
  give_up_at timestamptz not null default now() + interval '1 day',
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  last_error text
) partition by range (created_at);

-- Every attempt to deliver. Never changed.
create table delivery_attempts (
  delivery_id uuid not null,
  attempt integer not null,
  started_at timestamptz not null default clock_timestamp(),
  duration_ms double precision not null,
  outcome text not null check (outcome in ('delivered', 'again', 'failed')),
  -- HTTP, SMTP; null when nobody answered.
  status_code integer,
  -- The beginning of what the receiver answered, or why it did not.
  response text,
  idempotency_key text not null
) partition by range (started_at);

-- Events that a function refused for ever or that the broker could not deliver.
create table dead_letters (
  dead_letter_id uuid not null,
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
  last_received_at timestamptz not null default now(),
  status text not null default 'open' check (status in ('open', 'replayed', 'discarded')),
  -- Who replayed or discarded it last, when and why.
  handled_by text,
  handled_at timestamptz,
  handled_reason text
) partition by range (received_at);

create table alerts_default partition of alerts default;
create table alert_evidence_default partition of alert_evidence default;
create table episodes_default partition of episodes default;
create table alert_changes_default partition of alert_changes default;
create table deliveries_default partition of deliveries default;
create table delivery_attempts_default partition of delivery_attempts default;
create table dead_letters_default partition of dead_letters default;

-- Makes the partitions from a month on to the months ahead and answers how many it made. Runs with the
-- rights of whoever migrated, so that no function needs the right to create tables.
create function notification_ensure_partitions(ahead integer default 2, since timestamptz default now())
returns integer
language plpgsql security definer
set search_path from current
set lock_timeout = '2s'
as $$
declare
  month date := date_trunc('month', since at time zone 'UTC');
  last date := date_trunc('month', now() at time zone 'UTC') + make_interval(months => least(ahead, 12));
  parent text;
  name text;
  made integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('auditflow partitions', 0)) then
    return 0;
  end if;
  while month <= last loop
    foreach parent in array array['alerts', 'alert_evidence', 'episodes', 'alert_changes', 'deliveries',
      'delivery_attempts', 'dead_letters']
    loop
      name := parent || '_' || to_char(month, 'YYYY_MM');
      continue when to_regclass(name) is not null;
      begin
        execute format('create table %I partition of %I for values from (%L) to (%L)',
          name, parent, month || ' 00:00+00', (month + interval '1 month')::date || ' 00:00+00');
        made := made + 1;
      exception
        -- The default partition already holds rows of that month, where they are found as well; or it is
        -- busy, and the next run tries again.
        when check_violation or lock_not_available then null;
      end;
    end loop;
    month := month + interval '1 month';
  end loop;
  return made;
end
$$;

select notification_ensure_partitions(2, coalesce((select min(least(received_at, now())) from alerts_before), now()));

insert into alerts (alert_id, correlation_id, timestamp, received_at, alert_name, alert_type, severity,
  description, source_service_name, rule_id, rule_name, actor_type, actor_id, client_ip, resource_type,
  resource_id, server_hostname, action_observed, analysis_rule_details, triggered_by_details,
  impacted_resource_details, metadata, raw_event_data, rule_version, group_id, group_key, group_values,
  first_seen, last_seen, emission_count, emission_key, correlated_at)
select alert_id, correlation_id, timestamp, received_at, alert_name, alert_type, severity,
  description, source_service_name, rule_id, rule_name, actor_type, actor_id, client_ip, resource_type,
  resource_id, server_hostname, action_observed, analysis_rule_details, triggered_by_details,
  impacted_resource_details, metadata, raw_event_data, rule_version, group_id, group_key, group_values,
  first_seen, last_seen, emission_count, emission_key, correlated_at
from alerts_before;

insert into alert_evidence (group_id, event_key, source, id, time)
select group_id, event_key, source, id, time from alert_evidence_before;

insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, count, merged_into,
  status, alert_name, alert_type, severity, description, source_service_name, rule_id, rule_name,
  rule_version, actor_type, actor_id, client_ip, resource_type, resource_id, server_hostname,
  action_observed, correlation_id, tags, environment, group_values)
select episode_id, received_at, episode.group_id, episode.timestamp, episode.first_seen, episode.last_seen,
  count, merged_into, status, alert_name, alert_type, severity, description, source_service_name, rule_id,
  rule_name, rule_version, actor_type, actor_id, client_ip, resource_type, resource_id, server_hostname,
  action_observed, correlation_id,
  case jsonb_typeof(metadata -> 'tags')
    when 'array' then array(select jsonb_array_elements_text(metadata -> 'tags')) else '{}'
  end,
  metadata ->> 'environment', group_values
from episodes_before as episode join alerts_before on alert_id = episode_id;

insert into deliveries (delivery_id, alert_ids, channel, kind, message, status, attempts, due_at, created_at,
  finished_at, last_error)
select delivery_id, array[alert_id], channel, kind, message, status, attempts, due_at, created_at,
  finished_at, last_error
from deliveries_before;

insert into dead_letters (dead_letter_id, kind, code, detail, pointer, origin, event_source, event_id,
  event_type, event_time, headers, body, truncated, received_at, last_received_at)
select dead_letter_id, kind, code, detail, pointer, origin, event_source, event_id,
  event_type, event_time, headers, body, truncated, received_at, last_received_at
from dead_letters_before;

drop table deliveries_before;
drop table episodes_before;
drop table alert_evidence_before;
drop table alerts_before;
drop table dead_letters_before;

alter table alerts add primary key (alert_id, received_at);
alter table alert_evidence add primary key (group_id, event_key, stored_at);
alter table episodes add primary key (episode_id, received_at);
alter table alert_changes add primary key (alert_id, revision, changed_at);
alter table deliveries add primary key (delivery_id, created_at);
alter table delivery_attempts add primary key (delivery_id, attempt, started_at);
alter table dead_letters add primary key (dead_letter_id, received_at);

create index alerts_by_group on alerts (group_id, first_seen);
-- Answers containment (`raw_event_data @> '{"user_id": "root"}'`).
create index alerts_by_event_data on alerts using gin (raw_event_data jsonb_path_ops);

create index episodes_by_group on episodes (group_id, last_seen) where merged_into is null;
create index episodes_by_change on episodes (changed_by);
-- Keyset pages; names are compared without regard to ASCII case.
create index episodes_newest on episodes (timestamp desc, episode_id desc) where merged_into is null;
create index episodes_latest on episodes (last_seen desc, episode_id desc) where merged_into is null;
create index episodes_gravest on episodes (severity_rank desc, last_seen desc, episode_id desc)
  where merged_into is null;
create index episodes_largest on episodes (count desc, episode_id desc) where merged_into is null;
create index episodes_by_rule on episodes (lower(rule_id collate "C"), last_seen desc, episode_id desc)
  where merged_into is null;
create index episodes_by_actor on episodes (lower(actor_id collate "C"), last_seen desc, episode_id desc)
  where merged_into is null;
create index episodes_by_host on episodes (lower(server_hostname collate "C"), last_seen desc, episode_id desc)
  where merged_into is null;

create index alert_changes_newest on alert_changes (changed_at desc, change_id desc);

-- By channel, so that what waits for a receiver that is away is never walked through for others.
create index deliveries_due on deliveries (channel, due_at) where status = 'pending';
create index deliveries_failed on deliveries (channel, created_at) where status = 'failed';
create index deliveries_newest on deliveries (created_at desc, delivery_id desc);
create index deliveries_by_alert on deliveries using gin (alert_ids);

create index dead_letters_newest on dead_letters (received_at desc, dead_letter_id desc);

create function refuse_change() returns trigger
language plpgsql
as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end
$$;

create trigger alert_changes_append_only before update or delete on alert_changes
  for each row execute function refuse_change();
create trigger delivery_attempts_append_only before update or delete on delivery_attempts
  for each row execute function refuse_change();

-- Events of ours on their way to the broker, written in the transaction of what they tell of and deleted
-- once the broker has confirmed them.
create table outbox (
  outbox_id bigint generated always as identity primary key,
  -- A structured CloudEvent.
  event jsonb not null,
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  attempts integer not null default 0
);

create index outbox_due on outbox (due_at, outbox_id);

-- What people do not want to be told of, for a while. Kept after its end.
create table silences (
  silence_id uuid primary key,
  -- In the query language.
  query text not null,
  author text not null,
  comment text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > starts_at),
  created_at timestamptz not null default now(),
  -- Who ended it before its time.
  expired_by text,
  expired_at timestamptz
);

create index silences_by_end on silences (ends_at);

-- Answers to POSTs with an Idempotency-Key, for a day.
create table idempotency_keys (
  -- SHA-256 of the principal, the operation and the key.
  key bytea primary key,
  -- SHA-256 of the request.
  request bytea not null,
  -- Null while it is under way.
  status integer,
  headers jsonb,
  body text,
  created_at timestamptz not null default now()
);

create index idempotency_keys_by_age on idempotency_keys (created_at);

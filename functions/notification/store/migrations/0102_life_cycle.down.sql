-- What these tables cannot hold is lost: history, silences, the attempts of deliveries, and deliveries
-- that tell of no alert or of several.
drop table idempotency_keys;
drop table silences;
drop table outbox;
drop table delivery_attempts;
drop table alert_changes;
drop function refuse_change();
drop function notification_ensure_partitions(integer, timestamptz);

alter table alerts rename to alerts_after;
alter table alert_evidence rename to alert_evidence_after;
alter table episodes rename to episodes_after;
alter table deliveries rename to deliveries_after;
alter table dead_letters rename to dead_letters_after;

create table alerts (
  alert_id uuid not null,
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
  group_id uuid not null,
  group_key text,
  group_values jsonb,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  emission_count bigint not null,
  emission_key text collate "C" not null,
  correlated_at timestamptz not null
);

create table alert_evidence (
  group_id uuid not null,
  event_key bytea not null,
  source text not null,
  id text not null,
  time timestamptz not null
);

create table episodes (
  episode_id uuid not null,
  group_id uuid not null,
  timestamp timestamptz not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  count bigint not null check (count >= 0),
  status text not null default 'open'
    check (status in ('open', 'acknowledged', 'in_progress', 'resolved', 'suppressed')),
  merged_into uuid,
  changed_by xid8 not null default pg_current_xact_id()
);

create table deliveries (
  delivery_id uuid not null,
  alert_id uuid not null,
  channel text not null,
  kind text not null,
  message jsonb not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0,
  due_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  last_error text
);

create table dead_letters (
  dead_letter_id uuid not null,
  kind text not null check (kind in ('rejected', 'undeliverable')),
  code text not null,
  detail text not null,
  pointer text,
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
from alerts_after;

insert into alert_evidence (group_id, event_key, source, id, time)
select group_id, event_key, source, id, time from alert_evidence_after;

insert into episodes (episode_id, group_id, timestamp, first_seen, last_seen, count, status, merged_into)
select episode_id, group_id, timestamp, first_seen, last_seen, count, status, merged_into
from episodes_after where episode_id in (select alert_id from alerts_after);

insert into deliveries (delivery_id, alert_id, channel, kind, message, status, attempts, due_at, created_at,
  finished_at, last_error)
select distinct on (alert_ids[1], channel, kind) delivery_id, alert_ids[1], channel, kind, message, status,
  attempts, due_at, created_at, finished_at, last_error
from deliveries_after
where array_length(alert_ids, 1) = 1 and status in ('pending', 'delivered', 'failed')
  and alert_ids[1] in (select alert_id from alerts_after)
order by alert_ids[1], channel, kind, created_at;

insert into dead_letters (dead_letter_id, kind, code, detail, pointer, origin, event_source, event_id,
  event_type, event_time, headers, body, truncated, received_at, last_received_at)
select dead_letter_id, kind, code, detail, pointer, origin, event_source, event_id,
  event_type, event_time, headers, body, truncated, received_at, last_received_at
from dead_letters_after;

drop table deliveries_after;
drop table episodes_after;
drop table alert_evidence_after;
drop table alerts_after;
drop table dead_letters_after;

alter table alerts add primary key (alert_id);
alter table alert_evidence add primary key (group_id, event_key);
alter table episodes add primary key (episode_id), add foreign key (episode_id) references alerts (alert_id);
alter table deliveries add primary key (delivery_id), add unique (alert_id, channel, kind),
  add foreign key (alert_id) references alerts (alert_id);
alter table dead_letters add primary key (dead_letter_id);

create index alerts_by_group on alerts (group_id, first_seen);
create index episodes_by_group on episodes (group_id, last_seen) where merged_into is null;
create index episodes_newest on episodes (timestamp desc, episode_id desc) where merged_into is null;
create index episodes_by_change on episodes (changed_by);
create index deliveries_due on deliveries (due_at) where status = 'pending';
create index dead_letters_newest on dead_letters (received_at desc, dead_letter_id desc);

-- The ledger: every accepted event, and what was detected in it.
--
-- A function's role needs no right to create anything: select and insert on events; select, insert and
-- update on event_keys, detections and ledger_counts.

-- One narrow row per event: its identity for ever, and what became of it. The event itself lies in a
-- partition, where uniqueness over all time could not be kept.
create table event_keys (
  -- SHA-256 of the length-prefixed source and the id.
  key bytea primary key,
  -- SHA-256 of type, subject and data: the same key with another digest is refused.
  digest bytea not null,
  accepted_at timestamptz not null,
  -- Effective event time, milliseconds exact, fixed on acceptance.
  time timestamptz not null,
  evaluated_at timestamptz,
  rule_set text,
  rejected_at timestamptz,
  rejected_reason text,
  -- How often, and not before when, the reconciler emits it again.
  attempts integer not null default 0,
  next_at timestamptz not null
) with (fillfactor = 85);

create index event_keys_pending on event_keys (next_at, key)
  where evaluated_at is null and rejected_at is null;

-- The events, by the month in which they were accepted. Nothing is ever changed here.
create table events (
  accepted_at timestamptz not null,
  key bytea not null,
  time timestamptz not null,
  source text not null,
  id text not null,
  type text not null,
  subject text,
  -- The whole event as JSON text. Not jsonb, which refuses what JSON allows ("\u0000").
  event text not null,
  primary key (accepted_at, key)
) partition by range (accepted_at);

create index events_by_time on events (time, key);

create table events_default partition of events default;

-- The alert events an event gave rise to, in their order.
create table detections (
  cause bytea not null,
  ordinal integer not null,
  key bytea not null,
  subject text,
  event text not null,
  raised_at timestamptz not null,
  -- When notification stored it.
  stored_at timestamptz,
  attempts integer not null default 0,
  next_at timestamptz not null,
  primary key (cause, ordinal)
);

create index detections_by_key on detections (key);

create index detections_unstored on detections (next_at, key) where stored_at is null;

-- Running totals, because counting all history gets slower every day. Each connection adds to a row of its
-- own, so that commits do not queue behind one.
create table ledger_counts (
  slot integer primary key,
  accepted bigint not null default 0,
  evaluated bigint not null default 0,
  rejected bigint not null default 0
) with (fillfactor = 50);

-- Makes the partitions of this month and the months ahead and answers how many it made. Runs with the
-- rights of whoever migrated, so that no function needs the right to create tables.
create function ledger_ensure_partitions(ahead integer default 2) returns integer
language plpgsql security definer
set search_path from current
set lock_timeout = '2s'
as $$
declare
  first date := date_trunc('month', now() at time zone 'UTC');
  month date;
  name text;
  made integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('auditflow partitions', 0)) then
    return 0;
  end if;
  for i in 0..least(ahead, 12) loop
    month := first + make_interval(months => i);
    name := 'events_' || to_char(month, 'YYYY_MM');
    continue when to_regclass(name) is not null;
    begin
      execute format(
        'create table %I partition of events for values from (%L) to (%L)',
        name, month || ' 00:00+00', (month + interval '1 month')::date || ' 00:00+00');
      made := made + 1;
    exception
      -- The default partition already holds events of that month, where they are found as well; or it is
      -- busy, and the next run tries again.
      when check_violation or lock_not_available then null;
    end;
  end loop;
  return made;
end
$$;

select ledger_ensure_partitions();

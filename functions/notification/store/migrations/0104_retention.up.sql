-- Forgetting what is old: months that are over are dropped as a whole, and what lies in default partitions is
-- deleted in pages. The functions run with the rights of whoever migrated, so that no function's role needs
-- the right to drop anything or to touch history; each refuses to forget what is younger than a day.
--
-- An alert goes by when it was first received, whatever its status: how many of those that go are still open
-- is told. Alerts of a group that come later begin an episode of their own. A delivery that is still tried
-- stays, and its month with it: when it was made says nothing of how long it may be tried, nor does it change
-- when it is sent again.

create function notification_cutoff(days integer) returns timestamptz
language plpgsql stable
as $$
begin
  if days is null or days < 1 then
    raise exception 'Retention keeps at least 1 day, got %.', coalesce(days::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  return now() - make_interval(days => days);
end
$$;

-- The partitions that may hold something old, those that refer to others first, with the column that tells a
-- row's age, what makes a row one of a still-open alert, and what makes one stay however old it is.
create function notification_expired_partitions(days integer)
returns table (name text, parent text, whole boolean, age text, is_open text, stays text)
language sql stable
set search_path from current
as $$
  with tables (place, parent, age, is_open) as (
    values
      (1, 'delivery_attempts', 'started_at', 'false'),
      (2, 'deliveries', 'created_at', 'exists (select from episodes as alert
        where alert.episode_id = any(entry.alert_ids) and alert.is_open)'),
      (3, 'alert_changes', 'changed_at', 'exists (select from episodes as alert
        where alert.episode_id = entry.alert_id and alert.is_open)'),
      (4, 'alert_evidence', 'stored_at', 'exists (select from episodes as alert where alert.is_open
        and alert.group_id = entry.group_id and entry.time between alert.first_seen and alert.last_seen)'),
      (5, 'episodes', 'received_at', 'entry.is_open'),
      (6, 'alerts', 'received_at', 'exists (select from episodes as alert where alert.is_open
        and alert.group_id = entry.group_id and entry.first_seen between alert.first_seen and alert.last_seen)'),
      (7, 'dead_letters', 'received_at', 'false')
  )
  select relname::text, parent, relname <> parent || '_default', age,
    regexp_replace(is_open, '(alert|entry)\.is_open', '(\1.merged_into is null
      and \1.status in (''open'', ''acknowledged'', ''in_progress''))', 'g'),
    case parent when 'deliveries' then 'entry.status = ''pending'' and entry.give_up_at > now()' else 'false' end
  from tables
  join pg_inherits on inhparent = parent::regclass
  join pg_class on pg_class.oid = inhrelid
  where relname = parent || '_default' or relname ~ ('^' || parent || '_\d{4}_\d{2}$')
    and (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') at time zone 'UTC'
      <= notification_cutoff(days)
  order by place, relname
$$;

-- How many rows are old, how many of those are of alerts that are still open, and whether the partition
-- cannot be dropped for what is still pending in it.
create function notification_expired(days integer)
returns table (name text, parent text, whole boolean, rows bigint, open bigint, pending boolean)
language plpgsql stable security definer
set search_path from current
as $$
declare
  age text;
  is_open text;
  stays text;
begin
  for name, parent, whole, age, is_open, stays in
    select old.name, old.parent, old.whole, old.age, old.is_open, old.stays
    from notification_expired_partitions(days) as old
  loop
    execute format('select count(*), count(*) filter (where %s) from %I as entry where entry.%I < $1 and not (%s)',
      is_open, name, age, stays) into rows, open using notification_cutoff(days);
    execute format('select %L and exists (select from %I as entry where %s)', whole, name, stays) into pending;
    return next;
  end loop;
end
$$;

-- Drops a partition that is over and answers 0, or deletes at most so many old rows of a default one and
-- answers how many. Null when the partition is busy or something in it is pending: the next run tries again.
create function notification_expire(days integer, partition text, size integer) returns bigint
language plpgsql security definer
set search_path from current
set lock_timeout = '2s'
set auditflow.retention = 'on'
as $$
declare
  is_whole boolean;
  parent_table text;
  age_column text;
  what_stays text;
  is_pending boolean;
  deleted bigint;
begin
  select whole, parent, age, stays into is_whole, parent_table, age_column, what_stays
  from notification_expired_partitions(days) as old where old.name = partition;
  if is_whole is null then
    return 0;
  end if;
  if is_whole then
    -- Locked as dropping does, parent first: nothing becomes pending between the look and the end.
    execute format('lock table only %I in access exclusive mode', parent_table);
    execute format('lock table only %I in access exclusive mode', partition);
    execute format('select exists (select from %I as entry where %s)', partition, what_stays) into is_pending;
    if is_pending then
      return null;
    end if;
    execute format('drop table %I', partition);
    return 0;
  end if;
  execute format('delete from %1$I where ctid in (
      select ctid from %1$I as entry where entry.%2$I < $1 and not (%3$s) limit $2)',
    partition, age_column, what_stays) using notification_cutoff(days), size;
  get diagnostics deleted = row_count;
  return deleted;
exception
  when lock_not_available then return null;
end
$$;

revoke execute on function notification_expired(integer) from public;
revoke execute on function notification_expire(integer, text, integer) from public;

-- History is not changed, and goes only with its time.
create or replace function refuse_change() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'DELETE' and current_setting('auditflow.retention', true) = 'on'
    and pg_has_role((select relowner from pg_class where oid = tg_relid), 'usage') then
    return old;
  end if;
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end
$$;

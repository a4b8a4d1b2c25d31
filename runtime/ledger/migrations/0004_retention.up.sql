-- Forgetting what is old. The functions run with the rights of whoever migrated, so that no function's role
-- needs the right to delete or drop; each refuses to forget what is younger than a day.
--
-- An event is forgotten once it was evaluated or rejected and what was detected in it was stored. What is
-- pending stays, however old it is, and its month with it; timers are never touched. Should a forgotten
-- event be delivered again, it is accepted as a new one and judged again: alerts derive their ids from the
-- events behind them, so it adds nothing to an alert that is still kept, and raises one again that is not.

create function ledger_cutoff(days integer) returns timestamptz
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

-- The partitions of events that may hold something old: months that are over, and the default one.
create function ledger_expired_partitions(days integer) returns table (name text, whole boolean)
language sql stable
set search_path from current
as $$
  select relname::text, relname <> 'events_default'
  from pg_inherits join pg_class on pg_class.oid = inhrelid
  where inhparent = 'events'::regclass and (relname = 'events_default' or relname ~ '^events_\d{4}_\d{2}$'
    and (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') at time zone 'UTC' <= ledger_cutoff(days))
  order by relname
$$;

-- What would be forgotten of each partition, and what is pending and stays.
create function ledger_expired(days integer)
returns table (name text, whole boolean, events bigint, keys bigint, detections bigint, pending bigint)
language plpgsql stable security definer
set search_path from current
as $$
begin
  for name, whole in select old.name, old.whole from ledger_expired_partitions(days) as old loop
    execute format('
      with old as (
        select event.key, known.key is not null as is_known,
          coalesce(evaluated_at is null and rejected_at is null and known.key is not null, false)
            or exists (select from detections where cause = event.key and stored_at is null) as is_pending
        from %1$I as event left join event_keys as known using (accepted_at, key)
        where event.accepted_at < $1
      )
      select count(*) filter (where not is_pending), count(*) filter (where is_known and not is_pending),
        (select count(*) from detections join old on cause = old.key where not is_pending),
        count(*) filter (where is_pending)
      from old', name)
    into events, keys, detections, pending using ledger_cutoff(days);
    return next;
  end loop;
end
$$;

-- Forgets the keys and detections of the next page of a partition's old events and, in the default one, the
-- events themselves. Answers where the page ended, or nothing at the partition's end.
create function ledger_forget(days integer, partition text, after_at text, after_key bytea, size integer)
returns table (last_at text, last_key bytea, events bigint, keys bigint, detections bigint)
language plpgsql security definer
set search_path from current
as $$
declare
  cutoff timestamptz := ledger_cutoff(days);
begin
  if not exists (select from ledger_expired_partitions(days) as old where old.name = partition) then
    return;
  end if;
  execute format('
    with page as (
      select accepted_at, key from %1$I
      where accepted_at < $1 and (accepted_at, key) > ($2::timestamptz, $3)
      order by accepted_at, key limit $4
    ), done as (
      select key from event_keys
      where key in (select key from page) and (evaluated_at is not null or rejected_at is not null)
        and not exists (select from detections where cause = event_keys.key and stored_at is null)
      order by key
      for update
    ), forgotten_detections as (
      delete from detections where cause in (select key from done) returning cause
    ), forgotten as (
      delete from event_keys where key in (select key from done) returning key
    ), gone as (
      delete from %1$I as event using page
      where %2$L and event.accepted_at = page.accepted_at and event.key = page.key
        and (event.key in (select key from done)
          or not exists (select from event_keys as known where known.key = event.key))
      returning event.key
    )
    select max(accepted_at)::text, (array_agg(key order by accepted_at desc, key desc))[1],
      (select count(*) from gone), (select count(*) from forgotten),
      (select count(*) from forgotten_detections)
    from page', partition, partition = 'events_default')
  into last_at, last_key, events, keys, detections using cutoff, after_at, after_key, size;
  if last_at is not null then
    return next;
  end if;
end
$$;

-- Drops a month whose events are all forgotten, and answers how many it held. Null when it may not go: it is
-- not over or not there, something in it is pending, or it is busy and the next run tries again.
create function ledger_drop(days integer, partition text) returns bigint
language plpgsql security definer
set search_path from current
set lock_timeout = '2s'
as $$
declare
  dropped bigint;
  is_known boolean;
begin
  if not exists (select from ledger_expired_partitions(days) as old where old.name = partition and old.whole) then
    return null;
  end if;
  execute format('select count(*), count(known.key) > 0
    from %I left join event_keys as known using (accepted_at, key)', partition) into dropped, is_known;
  if is_known then
    return null;
  end if;
  execute format('drop table %I', partition);
  return dropped;
exception
  when lock_not_available then return null;
end
$$;

revoke execute on function ledger_expired(integer) from public;
revoke execute on function ledger_forget(integer, text, text, bytea, integer) from public;
revoke execute on function ledger_drop(integer, text) from public;

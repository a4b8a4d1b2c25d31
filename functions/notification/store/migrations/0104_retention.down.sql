drop function notification_expire(integer, text, integer);
drop function notification_expired(integer);
drop function notification_expired_partitions(integer);
drop function notification_cutoff(integer);

create or replace function refuse_change() returns trigger
language plpgsql
as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end
$$;

-- What is judged once its time has passed: correlations that more events can also make untrue, such as the
-- absence of something.
--
-- A function's role needs select, insert, update and delete here.

create table timers (
  -- SHA-256 of the length-prefixed series, group and bucket.
  key bytea primary key,
  series text not null,
  -- As a JSON text: what events say may hold what PostgreSQL's text cannot.
  group_key text not null,
  bucket bigint not null,
  -- Not before when it is settled; also what tells a timer that was armed again from the one that was claimed.
  due timestamptz not null,
  -- Whoever claimed it has until then.
  leased_until timestamptz not null default '-infinity'
) with (fillfactor = 85);

create index timers_due on timers (due);

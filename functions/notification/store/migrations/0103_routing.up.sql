-- What routes with a memory remember: which alerts wait for a message that tells of several, and what is
-- to be told again, escalated or told in a digest, and when. Rows live until nothing is left to do.

-- Alerts of one route with the same values in the fields it groups by.
create table notification_groups (
  -- Derived from the route's name and the values.
  group_id uuid primary key,
  -- Tells a group from an earlier one of the same id that was closed: part of the ids of its messages.
  opened bigint generated always as identity,
  route text not null,
  group_values jsonb not null,
  -- When it is to be looked at next.
  due_at timestamptz not null,
  -- No message of new alerts before this: the route's interval after the last one.
  not_before timestamptz,
  -- When people were told of it last.
  last_told_at timestamptz,
  -- Counts the looks that gave rise to something: part of the ids of the messages.
  sequence bigint not null default 0
);

create index notification_groups_due on notification_groups (due_at);

create table notification_group_members (
  group_id uuid not null references notification_groups on delete cascade,
  -- The episode as it was named then; signposts lead from it to the one it became part of.
  alert_id uuid not null,
  kind text not null check (kind in ('raised', 'reopened')),
  added_at timestamptz not null,
  -- The group's sequence at the message that told of it; null while none did.
  told_sequence bigint,
  -- Whether it is on record that a mute time holds its message back.
  held boolean not null default false,
  -- How many steps of the route's escalation are behind it.
  escalated smallint not null default 0,
  primary key (group_id, alert_id)
);

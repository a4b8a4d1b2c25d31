-- The planner takes the statistics of an expression only from an index without a condition; without them it
-- took every actor for one of 200 and walked through whole orders. What was absorbed is in them now, too,
-- which are few rows.
drop index episodes_by_rule;
drop index episodes_by_actor;
drop index episodes_by_host;
create index episodes_by_rule on episodes (lower(rule_id collate "C"), last_seen desc, episode_id desc);
create index episodes_by_actor on episodes (lower(actor_id collate "C"), last_seen desc, episode_id desc);
create index episodes_by_host on episodes (lower(server_hostname collate "C"), last_seen desc, episode_id desc);

-- What people look at most, and what becomes the smallest share over the years: a row leaves it when it is
-- resolved, and nothing is written to it afterwards.
create index episodes_unresolved on episodes (last_seen desc, episode_id desc)
  where merged_into is null and status in ('open', 'acknowledged', 'in_progress');

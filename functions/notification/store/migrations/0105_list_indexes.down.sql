drop index episodes_unresolved;
drop index episodes_by_rule;
drop index episodes_by_actor;
drop index episodes_by_host;
create index episodes_by_rule on episodes (lower(rule_id collate "C"), last_seen desc, episode_id desc)
  where merged_into is null;
create index episodes_by_actor on episodes (lower(actor_id collate "C"), last_seen desc, episode_id desc)
  where merged_into is null;
create index episodes_by_host on episodes (lower(server_hostname collate "C"), last_seen desc, episode_id desc)
  where merged_into is null;

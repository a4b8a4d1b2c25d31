drop function ledger_ensure_partitions(integer);

drop table ledger_counts;

drop table detections;

drop table events;

drop table event_keys;

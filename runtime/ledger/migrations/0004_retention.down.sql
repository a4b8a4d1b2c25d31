drop function ledger_drop(integer, text);
drop function ledger_forget(integer, text, text, bytea, integer);
drop function ledger_expired(integer);
drop function ledger_expired_partitions(integer);
drop function ledger_cutoff(integer);

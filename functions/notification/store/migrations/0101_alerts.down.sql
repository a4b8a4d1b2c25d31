drop table dead_letters;
drop table deliveries;
drop table episodes;
drop table alert_evidence;
drop table alerts;

-- Messages that were yet to be put together are lost.
drop table notification_group_members;
drop table notification_groups;

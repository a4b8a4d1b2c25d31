import { defineSourceDescription, words } from "./source.ts";

/** The Sigma category of each event type of our own; what a foreign source sends is classed by its adapter. */
export const nativeCategories: ReadonlyMap<string, string> = new Map([
  ["user_login", "authentication"],
  ["user_logout", "authentication"],
  ["sudo_command", "process_creation"],
  ["file_created", "file_event"],
  ["file_modified", "file_change"],
  ["file_deleted", "file_delete"],
  ["service_status_change", "service_status"],
  ["user_account_management", "account_management"],
  ["group_membership_change", "account_management"],
]);

/** What every audit event may have, whoever sent it: its own fields and the names events are compared by. */
export const auditEventFields: readonly string[] = words(`
    event_id timestamp source_service server_hostname event_type severity user_id action_result
    client_ip resource details.* schema_version tenant count session_id correlation_id trace_id
    actor_type target.* tags redacted logsource.* id_generated time_generated original.* src_ip
    actor host outcome
  `);

const file = {
  fields: { TargetFilename: "resource", User: "user_id" },
  known: ["TargetFilename", "Image", "User"],
};

/** Audit events in AuditFlow's own words. */
export const native = defineSourceDescription({
  name: "native",
  title: "AuditFlow audit event",
  logsource: {},
  variants: [
    {
      logsource: { category: "process_creation" },
      fields: { CommandLine: "command", CurrentDirectory: "cwd", User: "user_id" },
      known: ["CommandLine", "CurrentDirectory", "User", "command", "cwd", "tty"],
    },
    { logsource: { category: "file_event" }, ...file },
    { logsource: { category: "file_change" }, ...file },
    { logsource: { category: "file_delete" }, ...file },
    { logsource: { category: "authentication" }, known: ["method", "port"] },
    { logsource: { category: "service_status" }, known: ["previous_state", "service"] },
    { logsource: { category: "account_management" }, known: ["group", "home_directory", "target_user"] },
  ],
  ocsf: {
    class: "base_event",
    rules: [
      { events: ["user_login"], class: "authentication", activity: "Logon" },
      { events: ["user_logout"], class: "authentication", activity: "Logoff" },
      { events: ["sudo_command"], class: "process_activity", activity: "Launch" },
      { events: ["file_created"], class: "file_activity", activity: "Create" },
      { events: ["file_modified"], class: "file_activity", activity: "Update" },
      { events: ["file_deleted"], class: "file_activity", activity: "Delete" },
      {
        events: ["service_status_change"],
        result: "STARTED",
        class: "application_lifecycle",
        activity: "Start",
      },
      {
        events: ["service_status_change"],
        result: "STOPPED",
        class: "application_lifecycle",
        activity: "Stop",
      },
      { events: ["service_status_change"], class: "application_lifecycle" },
      {
        events: ["user_account_management"],
        result: "CREATED",
        class: "account_change",
        activity: "Create",
      },
      {
        events: ["user_account_management"],
        result: "DELETED",
        class: "account_change",
        activity: "Delete",
      },
      { events: ["user_account_management"], class: "account_change" },
      { events: ["group_membership_change"], class: "group_management" },
    ],
  },
  fields: {},
  known: words(`
    ip_address protocol reason message old_checksum new_checksum size_change_bytes user_agent pid
  `),
});

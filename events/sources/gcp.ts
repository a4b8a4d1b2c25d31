import { defineSourceDescription, words } from "./source.ts";

const entryFields = words(`
    protoPayload.* insertId resource.* logName receiveTimestamp operation.* labels.* trace spanId
    method service permissions project user_agent reason
  `);

/**
 * Google Cloud's audit logs, and those of Google Workspace that Cloud Logging carries.
 * https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog
 */
export const gcp = defineSourceDescription({
  name: "gcp",
  title: "Google Cloud audit",
  logsource: { product: "gcp", service: "gcp.audit" },
  ocsf: {
    class: "api_activity",
    rules: [
      { events: ["gcp.*.list*", "gcp.*.get*"], class: "api_activity", activity: "Read" },
      { events: ["gcp.*.delete*"], class: "api_activity", activity: "Delete" },
      { events: ["gcp.*.create*", "gcp.*.insert*"], class: "api_activity", activity: "Create" },
      { events: ["gcp.*.update*", "gcp.*.patch*", "gcp.*.set*"], class: "api_activity", activity: "Update" },
      // As a GKE cluster names what was done to it.
      { events: ["kubernetes.create"], class: "api_activity", activity: "Create" },
      {
        events: ["kubernetes.get", "kubernetes.list", "kubernetes.watch"],
        class: "api_activity",
        activity: "Read",
      },
      { events: ["kubernetes.update", "kubernetes.patch"], class: "api_activity", activity: "Update" },
      { events: ["kubernetes.delete*"], class: "api_activity", activity: "Delete" },
    ],
  },
  fields: {
    "gcp.audit.method_name": "protoPayload.methodName",
    "gcp.audit.service_name": "protoPayload.serviceName",
    "gcp.audit.resource_name": "protoPayload.resourceName",
    "gcp.audit.authentication_info.principal_email": "protoPayload.authenticationInfo.principalEmail",
    // Rules written for what Pub/Sub delivers have the log entry below `data`, and its parts where they are not.
    "data.protoPayload": "protoPayload",
    "data.protoPayload.resource": "original.resource",
    "data.protoPayload.logName": "logName",
  },
  known: [...entryFields, "gcp.audit.*", "data.protoPayload.*"],
});

const workspaceFields = {
  eventService: "protoPayload.serviceName",
  eventName: "protoPayload.metadata.event.eventName",
  "protoPayload.Servicename": "protoPayload.serviceName",
};

const workspaceKnown = [
  ...words(`
    eventService eventName setting_name new_value old_value application_name parameters.* role_name
    user_email group_email domain_name login_type is_suspicious affected_email_address
  `),
  ...entryFields,
];

export const googleWorkspaceAdmin = defineSourceDescription({
  name: "google-workspace-admin",
  title: "Google Workspace admin audit",
  logsource: { product: "gcp", service: "google_workspace.admin" },
  ocsf: {
    class: "entity_management",
    rules: [
      { events: ["gcp.*.delete*", "gcp.*.remove*"], class: "entity_management", activity: "Delete" },
      { events: ["gcp.*.create*", "gcp.*.add*"], class: "entity_management", activity: "Create" },
      { events: ["gcp.*.change*", "gcp.*.update*"], class: "entity_management", activity: "Update" },
    ],
  },
  fields: workspaceFields,
  known: workspaceKnown,
});

export const googleWorkspaceLogin = defineSourceDescription({
  name: "google-workspace-login",
  title: "Google Workspace login audit",
  logsource: { product: "gcp", service: "google_workspace.login" },
  ocsf: {
    class: "authentication",
    rules: [
      { events: ["gcp.*logout"], class: "authentication", activity: "Logoff" },
      { events: ["gcp.*login*"], class: "authentication", activity: "Logon" },
    ],
  },
  fields: workspaceFields,
  known: workspaceKnown,
});

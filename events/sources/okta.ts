import { defineSourceDescription, words } from "./source.ts";

/** https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/ */
export const okta = defineSourceDescription({
  name: "okta",
  title: "Okta System Log",
  logsource: { product: "okta", service: "okta" },
  ocsf: {
    class: "entity_management",
    rules: [
      { events: ["okta.user.session.end"], class: "authentication", activity: "Logoff" },
      {
        events: ["okta.user.session.*", "okta.user.authentication.*", "okta.policy.evaluate_sign_on"],
        class: "authentication",
        activity: "Logon",
      },
      { events: ["okta.user.mfa.factor.activate"], class: "account_change", activity: "MFA Factor Enable" },
      {
        events: ["okta.user.mfa.factor.deactivate", "okta.user.mfa.factor.reset_all"],
        class: "account_change",
        activity: "MFA Factor Disable",
      },
      { events: ["okta.user.lifecycle.create"], class: "account_change", activity: "Create" },
      {
        events: [
          "okta.user.lifecycle.activate",
          "okta.user.lifecycle.reactivate",
          "okta.user.lifecycle.unsuspend",
        ],
        class: "account_change",
        activity: "Enable",
      },
      {
        events: ["okta.user.lifecycle.deactivate", "okta.user.lifecycle.suspend"],
        class: "account_change",
        activity: "Disable",
      },
      { events: ["okta.user.lifecycle.delete*"], class: "account_change", activity: "Delete" },
      { events: ["okta.user.account.lock"], class: "account_change", activity: "Lock" },
      { events: ["okta.user.account.reset_password"], class: "account_change", activity: "Password Reset" },
      { events: ["okta.user.account.update_password"], class: "account_change", activity: "Password Change" },
      { events: ["okta.user.account.*"], class: "account_change" },
      { events: ["okta.group.user_membership.add"], class: "group_management", activity: "Add User" },
      { events: ["okta.group.user_membership.remove"], class: "group_management", activity: "Remove User" },
      { events: ["okta.group.privilege.grant"], class: "group_management", activity: "Assign Privileges" },
      { events: ["okta.group.privilege.revoke"], class: "group_management", activity: "Revoke Privileges" },
      { events: ["okta.group.*"], class: "group_management" },
      { events: ["okta.*.create"], class: "entity_management", activity: "Create" },
      { events: ["okta.*.delete"], class: "entity_management", activity: "Delete" },
      {
        events: ["okta.*.update", "okta.*.activate", "okta.*.deactivate"],
        class: "entity_management",
        activity: "Update",
      },
    ],
  },
  // Older rules, and pipelines that fold names, write them in lower case.
  fields: {
    eventtype: "eventType",
    displaymessage: "displayMessage",
    legacyeventtype: "legacyEventType",
    "debugcontext.debugdata": "debugContext.debugData",
    "securitycontext.isproxy": "securityContext.isProxy",
  },
  known: words(`
    uuid published eventType version displayMessage legacyEventType client.* device.* actor.*
    outcome.* target.* transaction.* debugContext.* authenticationContext.* securityContext.*
    request.* eventtype displaymessage legacyeventtype debugcontext.debugdata.*
    securitycontext.isproxy
  `),
});

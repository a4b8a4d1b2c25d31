import { defineSourceDescription, words } from "./source.ts";

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html */
export const cloudtrail = defineSourceDescription({
  name: "cloudtrail",
  title: "AWS CloudTrail",
  logsource: { product: "aws", service: "cloudtrail" },
  ocsf: {
    class: "api_activity",
    rules: [
      { events: ["cloudtrail.ConsoleLogin"], class: "authentication", activity: "Logon" },
      { events: ["cloudtrail.CreateUser"], class: "account_change", activity: "Create" },
      { events: ["cloudtrail.DeleteUser"], class: "account_change", activity: "Delete" },
      {
        events: ["cloudtrail.AttachUserPolicy", "cloudtrail.PutUserPolicy", "cloudtrail.AttachRolePolicy"],
        class: "account_change",
        activity: "Attach Policy",
      },
      {
        events: ["cloudtrail.DetachUserPolicy", "cloudtrail.DetachRolePolicy"],
        class: "account_change",
        activity: "Detach Policy",
      },
      { events: ["cloudtrail.DeactivateMFADevice"], class: "account_change", activity: "MFA Factor Disable" },
      { events: ["cloudtrail.EnableMFADevice"], class: "account_change", activity: "MFA Factor Enable" },
      { events: ["cloudtrail.ChangePassword"], class: "account_change", activity: "Password Change" },
      { events: ["cloudtrail.AddUserToGroup"], class: "group_management", activity: "Add User" },
      { events: ["cloudtrail.RemoveUserFromGroup"], class: "group_management", activity: "Remove User" },
      {
        events: [
          "cloudtrail.Get*",
          "cloudtrail.List*",
          "cloudtrail.Describe*",
          "cloudtrail.Head*",
          "cloudtrail.Lookup*",
        ],
        class: "api_activity",
        activity: "Read",
      },
      { events: ["cloudtrail.Create*", "cloudtrail.Run*"], class: "api_activity", activity: "Create" },
      { events: ["cloudtrail.Delete*", "cloudtrail.Terminate*"], class: "api_activity", activity: "Delete" },
      {
        events: [
          "cloudtrail.Update*",
          "cloudtrail.Put*",
          "cloudtrail.Modify*",
          "cloudtrail.Set*",
          "cloudtrail.Stop*",
        ],
        class: "api_activity",
        activity: "Update",
      },
    ],
  },
  fields: {},
  known: words(`
    eventVersion userIdentity.* eventTime eventSource eventName awsRegion sourceIPAddress userAgent
    errorCode errorMessage requestParameters.* responseElements.* additionalEventData.* requestID
    eventID readOnly resources.* eventType apiVersion managementEvent recipientAccountId
    serviceEventDetails.* sharedEventID vpcEndpointId vpcEndpointAccountId eventCategory addendum.*
    sessionCredentialFromConsole edgeDeviceDetails.* tlsDetails.* insightDetails.* region account
    identity_type user_agent reason
  `),
});

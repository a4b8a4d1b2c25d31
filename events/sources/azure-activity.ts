import { defineSourceDescription, words } from "./source.ts";

/**
 * Azure's activity log. Its records are named one way by diagnostic settings, another by the REST API and a
 * third in Log Analytics. https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
 */
export const azureActivity = defineSourceDescription({
  name: "azure-activity",
  title: "Azure activity log",
  logsource: { product: "azure", service: "activitylogs" },
  ocsf: {
    class: "api_activity",
    rules: [
      { events: ["azure.*.write"], class: "api_activity", activity: "Update" },
      { events: ["azure.*.delete"], class: "api_activity", activity: "Delete" },
      { events: ["azure.*.read"], class: "api_activity", activity: "Read" },
    ],
  },
  fields: {
    operationName: "OperationNameValue",
    OperationName: ["operationName", "OperationNameValue"],
    OperationNameValue: "operationName",
    category: "CategoryValue",
    CategoryValue: "category",
    resourceId: ["ResourceId", "_ResourceId"],
    ResourceId: ["resourceId", "_ResourceId"],
    ResourceProviderValue: "resource_provider",
    ActivityStatusValue: ["status_text", "resultType"],
    Caller: ["caller", "user_id"],
    CallerIpAddress: ["callerIpAddress", "client_ip"],
  },
  known: words(`
    time resourceId operationName operationVersion category resultType resultSignature
    resultDescription durationMs callerIpAddress correlationId identity.* level location
    properties.* tenantId RoleLocation ReleaseVersion resource_provider status_text authorization.*
    caller channels claims.* description eventDataId eventName.* eventTimestamp httpRequest.*
    operationId resourceGroupName resourceProviderName.* resourceType.* status.* subStatus.*
    submissionTimestamp subscriptionId OperationName OperationNameValue CategoryValue ResourceId
    _ResourceId ResourceProviderValue ActivityStatusValue ActivitySubstatusValue Caller
    CallerIpAddress Authorization Claims ResourceGroup SubscriptionId TimeGenerated Level Properties
    CorrelationId HTTPRequest reason
  `),
});

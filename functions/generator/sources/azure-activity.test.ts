import { describe, expect, test } from "vitest";

import { adaptOne, meta } from "./adapting.testing.ts";
import { azureActivity } from "./azure-activity.ts";
import { recogniseSource } from "./registry.ts";

const resourceId = "/SUBSCRIPTIONS/11111111-2222-3333-4444-555555555555/RESOURCEGROUPS/TILL";
const upn = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";

/** As an event hub carries it. */
const diagnostic = {
  time: "2026-11-21T11:05:00.4567890Z",
  resourceId,
  operationName: "MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/WRITE",
  category: "Administrative",
  resultType: "Success",
  resultSignature: "Succeeded.OK",
  durationMs: "112",
  callerIpAddress: "203.0.113.77",
  correlationId: "0f0e0d0c-0000-4000-8000-000000000001",
  identity: { claims: { [upn]: "ana@example.com", name: "Ana Example" } },
  level: "Information",
};

describe("a record of Azure's activity log", () => {
  test("keeps its time and every word", () => {
    const event = adaptOne(azureActivity, diagnostic);
    expect(event).toEqual({
      source: "/auditflow/source/azure-activity",
      id: event.id,
      time: Date.parse("2026-11-21T11:05:00.456Z"),
      data: {
        event_id: event.id,
        source_service: "azure",
        event_type: "azure.networksecuritygroups.write",
        severity: "Information",
        user_id: "ana@example.com",
        action_result: "SUCCESS",
        client_ip: "203.0.113.77",
        resource: resourceId,
        details: { resource_provider: "MICROSOFT.NETWORK", status_text: "Success" },
        logsource: { product: "azure", service: "activitylogs" },
        original: diagnostic,
      },
    });
    expect(adaptOne(azureActivity, { ...diagnostic }).id).toBe(event.id);
  });

  test("as the REST API gives it has its operation as text", () => {
    const record = {
      eventTimestamp: "2026-11-21T11:06:00Z",
      eventDataId: "d-1",
      operationName: { value: "Microsoft.KeyVault/vaults/delete", localizedValue: "Delete Key Vault" },
      category: { value: "Administrative", localizedValue: "Administrative" },
      status: { value: "Failed" },
      subStatus: { value: "Forbidden" },
      resourceId,
      caller: "ci@example.com",
      httpRequest: { clientIpAddress: "2001:db8::9", method: "DELETE" },
    };
    expect(adaptOne(azureActivity, record)).toMatchObject({
      id: "d-1",
      time: Date.parse("2026-11-21T11:06:00Z"),
      data: {
        event_type: "azure.vaults.delete",
        user_id: "ci@example.com",
        action_result: "FAILURE",
        client_ip: "2001:db8::9",
        details: {
          operationName: "Microsoft.KeyVault/vaults/delete",
          category: "Administrative",
          resource_provider: "Microsoft.KeyVault",
          reason: "Forbidden",
        },
      },
    });
  });

  test("as Log Analytics has it is understood too", () => {
    const row = {
      TimeGenerated: "2026-11-21T11:07:00Z",
      OperationNameValue: "Microsoft.ADHybridHealthService/services/delete",
      CategoryValue: "Administrative",
      ActivityStatusValue: "Start",
      _ResourceId: resourceId.toLowerCase(),
      Caller: "ana@example.com",
      CallerIpAddress: "203.0.113.77:50123",
    };
    expect(adaptOne(azureActivity, row)).toMatchObject({
      time: Date.parse("2026-11-21T11:07:00Z"),
      data: { action_result: "START", client_ip: "203.0.113.77", user_id: "ana@example.com" },
    });
  });

  test.for(["records", "value"])("is one of the %s of a document", (name) => {
    expect(azureActivity.unwrap?.({ [name]: [diagnostic] })).toEqual([diagnostic]);
    expect(azureActivity.unwrap?.(diagnostic)).toBeUndefined();
  });

  test.for([
    ["of another category", { ...diagnostic, category: "AuditEvent" }],
    ["without an operation", { ...diagnostic, operationName: undefined }],
    ["without a resource", { ...diagnostic, resourceId: "" }],
    ["that is a list", [diagnostic]],
  ] as const)("%s is refused", ([, record]) => {
    expect(() => azureActivity.adapt(record, meta())).toThrow(/expected an activity log record/);
    expect(recogniseSource(record)).toBeUndefined();
  });
});

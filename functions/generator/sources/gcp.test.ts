import { describe, expect, test } from "vitest";

import { maxDataDepth } from "../../../events/json.ts";
import { adaptOne, meta } from "./adapting.testing.ts";
import { gcp } from "./gcp.ts";
import { recogniseSource } from "./registry.ts";

const bucketDeleted = {
  protoPayload: {
    "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
    status: {},
    authenticationInfo: { principalEmail: "ana@example.com" },
    requestMetadata: { callerIp: "198.51.100.20", callerSuppliedUserAgent: "gcloud/540.0" },
    serviceName: "storage.googleapis.com",
    methodName: "storage.buckets.delete",
    resourceName: "projects/_/buckets/ledger",
    authorizationInfo: [{ permission: "storage.buckets.delete", granted: true }],
  },
  insertId: "1kq3z",
  resource: { type: "gcs_bucket", labels: { project_id: "till-prod", bucket_name: "ledger" } },
  timestamp: "2026-11-21T11:20:00.123456789Z",
  severity: "NOTICE",
  logName: "projects/till-prod/logs/cloudaudit.googleapis.com%2Factivity",
};
const push = (data: string) => ({
  message: { data, messageId: "9", publishTime: "2026-11-21T11:20:02Z" },
  subscription: "projects/till-prod/subscriptions/audit",
});
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

describe("an entry of Google Cloud's audit log", () => {
  test("keeps its id, time and every word", () => {
    const id = "1kq3z/2026-11-21T11:20:00.123456789Z";
    expect(adaptOne(gcp, bucketDeleted)).toEqual({
      source: "/auditflow/source/gcp",
      id,
      time: Date.parse("2026-11-21T11:20:00.123Z"),
      data: {
        event_id: id,
        source_service: "storage.googleapis.com",
        event_type: "gcp.storage.buckets.delete",
        severity: "NOTICE",
        user_id: "ana@example.com",
        action_result: "SUCCESS",
        client_ip: "198.51.100.20",
        resource: "projects/_/buckets/ledger",
        details: {
          method: "storage.buckets.delete",
          service: "storage.googleapis.com",
          project: "till-prod",
          user_agent: "gcloud/540.0",
        },
        logsource: { product: "gcp", service: "gcp.audit" },
        original: bucketDeleted,
      },
    });
  });

  test("that was denied is a failure, and says why", () => {
    const status = { code: 7, message: "permission denied" };
    const denied = { ...bucketDeleted, protoPayload: { ...bucketDeleted.protoPayload, status } };
    expect(adaptOne(gcp, denied).data).toMatchObject({
      action_result: "FAILURE",
      details: { reason: "permission denied" },
    });
  });

  test("with a long method is typed by its end", () => {
    const methodName = "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion";
    const protoPayload = { ...bucketDeleted.protoPayload, methodName };
    expect(adaptOne(gcp, { ...bucketDeleted, protoPayload }).data.event_type).toBe(
      "gcp.v1.SecretManagerService.AccessSecretVersion",
    );
  });

  test("of Google Workspace has a log source of its own, and its parameters by name", () => {
    const protoPayload = {
      serviceName: "admin.googleapis.com",
      methodName: "google.admin.AdminService.changeApplicationSetting",
      metadata: {
        event: [
          {
            eventName: "CHANGE_APPLICATION_SETTING",
            parameter: [{ name: "SETTING_NAME", value: "ContextAwareAccess" }, { name: "EMPTY" }, "odd"],
          },
        ],
      },
    };
    expect(adaptOne(gcp, { ...bucketDeleted, protoPayload }).data).toMatchObject({
      logsource: { product: "gcp", service: "google_workspace.admin" },
      details: { setting_name: "ContextAwareAccess" },
    });
  });

  test("is in the message a push subscription posts", () => {
    expect(gcp.unwrap?.(push(base64(bucketDeleted)))).toEqual([bucketDeleted]);
  });

  test.for([
    ["is no JSON", "bm90IGpzb24="],
    ["is nested too deeply", Buffer.from("[".repeat(maxDataDepth)).toString("base64")],
    ["has a member nobody may send", Buffer.from('{"__proto__":{}}').toString("base64")],
  ] as const)("in a message whose data %s is refused", ([, data]) => {
    expect(gcp.unwrap?.(push(data))).toBeUndefined();
    expect(() => gcp.adapt(push(data), meta())).toThrow(/expected an audit log entry/);
  });

  test("of another kind of log is refused", () => {
    const entry = {
      ...bucketDeleted,
      protoPayload: { "@type": "type.googleapis.com/other", methodName: "x" },
    };
    expect(() => gcp.adapt(entry, meta())).toThrow(/expected an audit log entry/);
  });

  test("is recognised, and one of a cluster stays the cluster's", () => {
    expect(recogniseSource(bucketDeleted)?.name).toBe("gcp");
    const protoPayload = { ...bucketDeleted.protoPayload, serviceName: "k8s.io" };
    expect(recogniseSource({ ...bucketDeleted, protoPayload })?.name).toBe("kubernetes");
  });
});

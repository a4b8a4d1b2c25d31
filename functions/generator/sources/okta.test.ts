import { describe, expect, test } from "vitest";

import { adaptOne, meta } from "./adapting.testing.ts";
import { okta } from "./okta.ts";

const signIn = {
  uuid: "6a0b9c1e-4d0f-11f0-9c3e-0242ac120002",
  published: "2026-11-21T11:41:07.512Z",
  eventType: "user.session.start",
  version: "0",
  severity: "WARN",
  legacyEventType: "core.user_auth.login_failed",
  displayMessage: "User login to Okta",
  actor: { id: "00uab12", type: "User", alternateId: "dora@example.com", displayName: "Dora Example" },
  client: {
    ipAddress: "203.0.113.40",
    userAgent: { rawUserAgent: "curl/8.9", browser: "UNKNOWN" },
    geographicalContext: { country: "Norway" },
  },
  outcome: { result: "FAILURE", reason: "INVALID_CREDENTIALS" },
  target: [{ id: "0oa1", type: "AppInstance", alternateId: "till", displayName: "Till" }],
  securityContext: { isProxy: true },
  debugContext: { debugData: { requestUri: "/api/v1/authn" } },
};

describe("an event of Okta's System Log", () => {
  test("keeps its id, time and every word", () => {
    expect(adaptOne(okta, signIn)).toEqual({
      source: "/auditflow/source/okta",
      id: signIn.uuid,
      time: Date.parse(signIn.published),
      data: {
        event_id: signIn.uuid,
        source_service: "okta",
        event_type: "okta.user.session.start",
        severity: "WARN",
        user_id: "dora@example.com",
        action_result: "FAILURE",
        client_ip: "203.0.113.40",
        resource: "AppInstance/till",
        details: {
          message: "User login to Okta",
          reason: "INVALID_CREDENTIALS",
          user_agent: "curl/8.9",
          country: "Norway",
        },
        logsource: { product: "okta", service: "okta" },
        original: signIn,
      },
    });
  });

  test.for([
    ["SUCCESS", "SUCCESS"],
    ["ALLOW", "SUCCESS"],
    ["DENY", "FAILURE"],
    ["CHALLENGE", "CHALLENGE"],
    [undefined, undefined],
  ] as const)("with the outcome %s is a %s", ([result, expected]) => {
    expect(adaptOne(okta, { ...signIn, outcome: { result } }).data.action_result).toBe(expected);
  });

  test("is one of those an event hook posts", () => {
    const hook = { eventType: "com.okta.event_hook", eventId: "e-1", data: { events: [signIn, signIn] } };
    expect(okta.unwrap?.(hook)).toEqual([signIn, signIn]);
  });

  test("is the detail of what a log stream sends to EventBridge", () => {
    const envelope = { version: "0", "detail-type": "SystemLog", detail: signIn };
    expect(okta.unwrap?.(envelope)).toEqual([signIn]);
    expect(okta.unwrap?.({ detail: { eventType: "none" } })).toBeUndefined();
  });

  test("without an id gets one of its content", () => {
    const { uuid: _, ...anonymous } = signIn;
    expect(adaptOne(okta, anonymous).id).toBe(adaptOne(okta, { ...anonymous }).id);
    expect(adaptOne(okta, anonymous).id).not.toBe(adaptOne(okta, { ...anonymous, severity: "INFO" }).id);
  });

  test.for([
    ["whose actor is a text", { ...signIn, actor: "dora" }],
    ["without a type", { ...signIn, eventType: undefined }],
    ["that is a hook which was not opened", { eventType: "com.okta.event_hook", data: {} }],
    ["that is nothing", null],
  ] as const)("%s is refused", ([, record]) => {
    expect(() => okta.adapt(record, meta())).toThrow(/expected a System Log event/);
  });

  test("with a time that cannot be read is refused, naming it", () => {
    expect(() => okta.adapt({ ...signIn, published: "lately" }, meta())).toThrow(/^published is "lately"/);
  });
});

test("the question of an event hook is answered with what it asked", () => {
  expect(okta.verify?.({ "x-okta-verification-challenge": "n0t-a-secret" })).toEqual({
    verification: "n0t-a-secret",
  });
  expect(okta.verify?.({})).toBeUndefined();
});

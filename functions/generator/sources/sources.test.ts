import { describe, expect, test } from "vitest";

import { maxDataDepth } from "../../../events/json.ts";
import { RequestError } from "../problem.ts";
import { adaptOne as adapt, meta } from "./adapting.testing.ts";
import { cloudtrail } from "./cloudtrail.ts";
import { github } from "./github.ts";
import { kubernetes } from "./kubernetes.ts";
import { recogniseSource } from "./registry.ts";

const podCreate = {
  kind: "Event",
  apiVersion: "audit.k8s.io/v1",
  level: "RequestResponse",
  auditID: "0b6e6a2e-5f8f-4a4b-9a35-3f5f1f4b8d11",
  stage: "ResponseComplete",
  requestURI: "/api/v1/namespaces/shop/pods",
  verb: "create",
  user: { username: "system:serviceaccount:shop:deployer", groups: ["system:authenticated"] },
  sourceIPs: ["192.0.2.44", "10.0.0.1"],
  userAgent: "kubectl/v1.34.1",
  objectRef: { resource: "pods", namespace: "shop", name: "till-1", apiVersion: "v1" },
  responseStatus: { metadata: {}, code: 201 },
  requestReceivedTimestamp: "2026-11-21T11:58:01.100200Z",
  stageTimestamp: "2026-11-21T11:58:01.300400Z",
};

describe("a Kubernetes audit event", () => {
  test("keeps its id, time and every word", () => {
    expect(adapt(kubernetes, podCreate)).toEqual({
      source: "/auditflow/source/kubernetes",
      id: "0b6e6a2e-5f8f-4a4b-9a35-3f5f1f4b8d11/ResponseComplete",
      time: Date.parse("2026-11-21T11:58:01.300Z"),
      data: {
        event_id: "0b6e6a2e-5f8f-4a4b-9a35-3f5f1f4b8d11/ResponseComplete",
        source_service: "kubernetes",
        event_type: "kubernetes.create",
        user_id: "system:serviceaccount:shop:deployer",
        action_result: "SUCCESS",
        client_ip: "192.0.2.44",
        resource: "shop/pods/till-1",
        details: { namespace: "shop", user_agent: "kubectl/v1.34.1" },
        logsource: { product: "kubernetes", category: "application", service: "audit" },
        original: podCreate,
      },
    });
  });

  test("of another stage of the same request is another event", () => {
    const { stageTimestamp: _, responseStatus: __, ...received } = { ...podCreate, stage: "RequestReceived" };
    const event = adapt(kubernetes, received);
    expect(event.id).toBe(`${podCreate.auditID}/RequestReceived`);
    expect(event.time).toBe(Date.parse("2026-11-21T11:58:01.100Z"));
    expect(event.data).not.toHaveProperty("action_result");
  });

  test.for([
    [200, "SUCCESS"],
    [101, "SUCCESS"],
    [403, "FAILURE"],
    [500, "FAILURE"],
  ] as const)("answered %i is a %s", ([code, result]) => {
    expect(adapt(kubernetes, { ...podCreate, responseStatus: { code } }).data.action_result).toBe(result);
  });

  test("names a subresource", () => {
    const objectRef = { resource: "pods", subresource: "exec", namespace: "shop", name: "till-1" };
    expect(adapt(kubernetes, { ...podCreate, objectRef }).data.resource).toBe("shop/pods/till-1/exec");
  });

  test("is found in the wrapping of AKS", () => {
    const wrapped = { category: "kube-audit", properties: { log: JSON.stringify(podCreate), pod: "api-0" } };
    const event = adapt(kubernetes, wrapped);
    expect(event.id).toBe(`${podCreate.auditID}/ResponseComplete`);
    expect(event.data.original).toEqual(podCreate);
    expect(event.data.details?.["envelope"]).toEqual({
      category: "kube-audit",
      properties: { pod: "api-0" },
    });
  });

  test("inside text nested too deeply is no audit event", () => {
    const deep = `{"kind":"Event","verb":"get","a":${"[".repeat(maxDataDepth)}${"]".repeat(maxDataDepth)}}`;
    expect(() => kubernetes.adapt({ properties: { log: deep } }, meta())).toThrow(RequestError);
  });

  test("is understood as GKE writes it", () => {
    const record = {
      insertId: "gke-1",
      timestamp: "2026-11-21T11:00:00.123456789Z",
      protoPayload: {
        serviceName: "k8s.io",
        methodName: "io.k8s.core.v1.secrets.get",
        resourceName: "core/v1/namespaces/shop/secrets/key",
        authenticationInfo: { principalEmail: "ana@example.com" },
        authorizationInfo: [{ granted: false, permission: "io.k8s.core.v1.secrets.get" }],
        requestMetadata: { callerIp: "2001:db8::7" },
      },
    };
    expect(adapt(kubernetes, record)).toMatchObject({
      source: "/auditflow/source/gke",
      id: "gke-1",
      time: Date.parse("2026-11-21T11:00:00.123Z"),
      data: {
        event_type: "kubernetes.get",
        user_id: "ana@example.com",
        client_ip: "2001:db8::7",
        action_result: "FAILURE",
        logsource: { product: "gcp", service: "gcp.audit" },
        original: record,
      },
    });
  });

  test("is one of the items of an EventList", () => {
    const list = { kind: "EventList", apiVersion: "audit.k8s.io/v1", items: [podCreate] };
    expect(kubernetes.unwrap?.(list)).toEqual([podCreate]);
    expect(kubernetes.unwrap?.(podCreate)).toBeUndefined();
  });

  test.for([
    ["an Event of the core API", { kind: "Event", apiVersion: "v1", reason: "Pulled" }],
    ["another kind", { ...podCreate, kind: "Pod" }],
    ["a text", "Event"],
    ["nothing", null],
  ] as const)("is not %s", ([, record]) => {
    expect(() => kubernetes.adapt(record, meta())).toThrow(
      /expected an Event or EventList of audit\.k8s\.io\/v1/,
    );
  });

  test("with a time that cannot be read is refused, naming it", () => {
    expect(() => kubernetes.adapt({ ...podCreate, stageTimestamp: "noon" }, meta())).toThrow(
      /^stageTimestamp is "noon": expected RFC 3339/,
    );
  });
});

const signIn = {
  eventVersion: "1.11",
  eventID: "5c0e1f7e-7e0a-4c0c-8d3a-9d2f0e7b1a22",
  eventTime: "2026-11-21T11:30:00Z",
  eventSource: "signin.amazonaws.com",
  eventName: "ConsoleLogin",
  awsRegion: "eu-central-1",
  sourceIPAddress: "203.0.113.9",
  userIdentity: { type: "IAMUser", accountId: "111122223333", userName: "dora" },
  responseElements: { ConsoleLogin: "Failure" },
};

describe("a CloudTrail record", () => {
  test("keeps its id, time and every word", () => {
    expect(adapt(cloudtrail, signIn)).toEqual({
      source: "/auditflow/source/cloudtrail",
      id: signIn.eventID,
      time: Date.parse(signIn.eventTime),
      data: {
        event_id: signIn.eventID,
        source_service: "signin.amazonaws.com",
        event_type: "cloudtrail.ConsoleLogin",
        user_id: "dora",
        action_result: "FAILURE",
        client_ip: "203.0.113.9",
        details: { region: "eu-central-1", account: "111122223333", identity_type: "IAMUser" },
        logsource: { product: "aws", service: "cloudtrail" },
        original: signIn,
      },
    });
  });

  test.for([
    [{ type: "AssumedRole", sessionContext: { sessionIssuer: { userName: "deployer" } } }, "deployer"],
    [{ type: "Root", arn: "arn:aws:iam::111122223333:root" }, "arn:aws:iam::111122223333:root"],
    [{ type: "AWSService", invokedBy: "ec2.amazonaws.com" }, "ec2.amazonaws.com"],
    [{}, undefined],
  ] as const)("of %j was made by %s", ([userIdentity, user]) => {
    expect(adapt(cloudtrail, { ...signIn, userIdentity }).data.user_id).toBe(user);
  });

  test.for(["AWS Internal", "ec2.amazonaws.com"])("from %o has no address", (sourceIPAddress) => {
    expect(adapt(cloudtrail, { ...signIn, sourceIPAddress }).data).not.toHaveProperty("client_ip");
  });

  test("with an error code is a failure", () => {
    const { responseElements: _, ...call } = {
      ...signIn,
      eventName: "RunInstances",
      errorCode: "AccessDenied",
    };
    expect(adapt(cloudtrail, call).data).toMatchObject({
      action_result: "FAILURE",
      details: { reason: "AccessDenied" },
    });
  });

  test("is one of the Records of a log file", () => {
    expect(cloudtrail.unwrap?.({ Records: [signIn] })).toEqual([signIn]);
  });

  test("needs its eventSource", () => {
    expect(() => cloudtrail.adapt({ eventName: "x" }, meta())).toThrow(
      /an object with "eventName": expected a CloudTrail record/,
    );
  });
});

describe("a GitHub webhook", () => {
  const push = {
    ref: "refs/heads/main",
    repository: { full_name: "acme/till", private: true },
    sender: { login: "dora" },
  };
  const headers = { "x-github-event": "push", "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958" };

  test("has its delivery as id and its event as type", () => {
    expect(adapt(github, push, { headers })).toEqual({
      source: "/auditflow/source/github",
      id: headers["x-github-delivery"],
      data: {
        event_id: headers["x-github-delivery"],
        source_service: "github",
        event_type: "github.push",
        user_id: "dora",
        resource: "acme/till",
        details: { event: "push" },
        logsource: { product: "github", service: "webhook" },
        original: push,
      },
    });
  });

  test("with an action names it", () => {
    const { data } = adapt(
      github,
      { ...push, action: "deleted" },
      { headers: { ...headers, "x-github-event": "repository" } },
    );
    expect(data.event_type).toBe("github.repository.deleted");
  });

  test("without headers is recognised by its body", () => {
    expect(adapt(github, push).data.event_type).toBe("github.webhook");
  });
});

describe("a record of GitHub's audit log", () => {
  const record = {
    "@timestamp": 1_795_260_600_000,
    _document_id: "doc-1",
    action: "protected_branch.policy_override",
    actor: "dora",
    actor_ip: "198.51.100.4",
    org: "acme",
    repo: "acme/till",
  };

  test("keeps its id, time and every word", () => {
    expect(adapt(github, record)).toMatchObject({
      id: "doc-1",
      time: record["@timestamp"],
      data: {
        event_type: "github.protected_branch.policy_override",
        user_id: "dora",
        client_ip: "198.51.100.4",
        resource: "acme/till",
        logsource: { product: "github", service: "audit" },
        original: record,
      },
    });
  });

  test("is told apart from what is of nobody", () => {
    expect(() => github.adapt({ hello: 1 }, meta())).toThrow(
      /an object with "hello": expected a webhook payload/,
    );
  });
});

describe("a record without an id", () => {
  const { auditID: _, ...anonymous } = podCreate;

  test("gets the same one however often it is sent", () => {
    expect(adapt(kubernetes, anonymous).id).toBe(adapt(kubernetes, { ...anonymous }).id);
    expect(adapt(kubernetes, anonymous).id).not.toBe(adapt(kubernetes, { ...anonymous, verb: "get" }).id);
  });

  test("gets one of its own when it is there twice", () => {
    expect(adapt(kubernetes, anonymous, { repetition: () => 1 }).id).not.toBe(
      adapt(kubernetes, anonymous).id,
    );
  });
});

test.for([
  ["a Kubernetes audit event", podCreate, "kubernetes"],
  ["a CloudTrail record", signIn, "cloudtrail"],
  ["a record of GitHub's audit log", { action: "org.add_member", actor: "dora" }, "github"],
  ["a line of sshd", "2026-11-21T12:00:00Z edge-1 sshd[7]: Server listening on 0.0.0.0 port 22.", "sshd"],
  ["an object of nobody", { event: "nothing of the kind" }, undefined],
  ["a text", "a line", undefined],
] as const)("%s is recognised by its marks", ([, record, name]) => {
  expect(recogniseSource(record)?.name).toBe(name);
});

import { createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { isSignedBy } from "./signature.ts";
import { type Rig, startGenerator } from "./test-rig.ts";

const secret = "it is a secret to everybody";
const sign = (body: string, key = secret) => `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;

let rig: Rig;
beforeAll(async () => void (rig = await startGenerator({ env: { AUDITFLOW_GITHUB_SECRET: secret } })));
afterAll(() => rig[Symbol.asyncDispose]());

describe("POST /sources/github", () => {
  const payload = JSON.stringify({ repository: { full_name: "acme/till" }, sender: { login: "dora" } });
  const headers = (signature?: string) => ({
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": "delivery-1",
    ...(signature === undefined ? {} : { "x-hub-signature-256": signature }),
  });

  test("takes what is signed, and a redelivery is the same event", async () => {
    const first = await rig.post("/sources/github", payload, headers(sign(payload)));
    expect([first.status, first.body]).toEqual([
      202,
      { status: "accepted", id: "delivery-1", source: "/auditflow/source/github" },
    ]);
    expect((await rig.post("/sources/github", payload, headers(sign(payload)))).body.duplicate).toBe(true);
  });

  test.for([
    ["no signature", undefined],
    ["another secret", sign(payload, "another secret")],
    ["another body", sign(`${payload} `)],
    ["half a signature", sign(payload).slice(0, 40)],
    ["the old kind of signature", "sha1=0000000000000000000000000000000000000000"],
    ["text that is no hex", `sha256=${"z".repeat(64)}`],
  ] as const)("refuses %s", async ([, signature]) => {
    const answer = await rig.post("/sources/github", payload, headers(signature));
    expect(answer.body).toMatchObject({ status: 401, code: "SIGNATURE_INVALID" });
  });

  test("signs as GitHub documents it", () => {
    const documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    expect(isSignedBy("It's a Secret to Everybody", Buffer.from("Hello, World!"), documented)).toBe(true);
  });

  test("without a secret takes what is not signed", async () => {
    await using open = await startGenerator();
    expect((await open.post("/sources/github", payload, headers())).status).toBe(202);
  });
});

describe("POST /sources/kubernetes", () => {
  const item = (auditID: string, more: object = {}) => ({
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    auditID,
    stage: "ResponseComplete",
    verb: "list",
    stageTimestamp: "2026-11-21T11:00:00.000001Z",
    ...more,
  });

  test("makes an event of every item of what the API server's webhook posts", async () => {
    const list = { kind: "EventList", apiVersion: "audit.k8s.io/v1", items: [item("k-1"), item("k-2")] };
    const answer = await rig.post("/sources/kubernetes", list);
    expect(answer.status).toBe(202);
    expect(answer.body.results).toMatchObject([
      { id: "k-1/ResponseComplete" },
      { id: "k-2/ResponseComplete" },
    ]);
  });

  test("refuses one item without the others, and says which", async () => {
    const items = [item("k-3"), item("k-4", { stageTimestamp: "soon" }), { kind: "Pod" }];
    const answer = await rig.post("/sources/kubernetes", { kind: "EventList", items });
    expect(answer.status).toBe(207);
    expect(answer.body.results).toMatchObject([
      { index: 0, status: 202 },
      { index: 1, status: 422, problem: { code: "EVENT_TIME_INVALID", pointer: "/stageTimestamp" } },
      { index: 2, status: 422, problem: { code: "SOURCE_RECORD_INVALID" } },
    ]);
  });
});

test("POST /sources/cloudtrail takes a log file", async () => {
  const record = {
    eventSource: "kms.amazonaws.com",
    eventName: "Decrypt",
    eventTime: "2026-11-21T11:00:00Z",
  };
  const answer = await rig.post("/sources/cloudtrail", { Records: [record, record] });
  expect(answer.body).toMatchObject({ accepted: 2, refused: 0 });
  expect(new Set(answer.body.results.map(({ id }: { id: string }) => id)).size).toBe(2);
  const again = await rig.post("/sources/cloudtrail", { Records: [record, record] });
  expect(again.body.results).toMatchObject([{ duplicate: true }, { duplicate: true }]);
});

test("POST /sources/sshd takes lines, also some that are not UTF-8", async () => {
  const line =
    "2026-11-21T11:00:00Z edge-1 sshd[1]: Failed password for invalid user m\u00fcller from 192.0.2.1 port 2 ssh2";
  const body = Buffer.concat([
    Buffer.from(`${line}\n`, "latin1"),
    Buffer.from("cron: no\n2026-11-21T11:00:00Z h cron[1]: x\n"),
  ]);
  const answer = await rig.post("/sources/sshd", body, { "content-type": "text/plain" });
  expect(answer.body.results).toMatchObject([{ status: 202 }, { status: 202 }, { status: 422 }]);
  const [first] = answer.body.results;
  expect(rig.ledger.stored.find(({ id }) => id === first.id)?.data).toMatchObject({ user_id: "m\u00fcller" });
});

test("POST /sources/auditd puts the lines of one event together, wherever they stand", async () => {
  const line = (type: string, serial: number, rest: string) =>
    `type=${type} msg=audit(1795258800.000:${serial}): ${rest}`;
  const body = [
    line("SYSCALL", 1, "arch=c000003e syscall=59 success=yes"),
    line("USER_LOGIN", 2, "msg='acct=\"dora\" res=failed'"),
    line("EXECVE", 1, 'argc=1 a0="id"'),
    "no record",
    line("EOE", 1, ""),
  ].join("\n");
  const answer = await rig.post("/sources/auditd", body, { "content-type": "text/plain" });
  expect(answer.body.results).toMatchObject([{ status: 202 }, { status: 202 }, { status: 422 }]);
  const [first] = answer.body.results;
  expect(rig.ledger.stored.find(({ id }) => id === first.id)?.data).toMatchObject({
    details: { type: ["SYSCALL", "EXECVE"], command: "id" },
    logsource: { category: ["process_creation"] },
  });
});

describe("POST /sources/web-access", () => {
  const line = '203.0.113.5 - - [21/Nov/2026:11:00:00 +0000] "GET / HTTP/1.1" 200 5';
  const record = {
    request_method: "GET",
    request_uri: "/",
    status: 200,
    time_iso8601: "2026-11-21T11:00:00Z",
  };

  test.for([
    ["text/plain", `${line}\n${JSON.stringify(record)}\n`],
    ["application/x-ndjson", `${JSON.stringify(record)}\n${JSON.stringify({ ...record, status: 404 })}`],
    ["application/json", JSON.stringify([record, record])],
  ] as const)("takes %s", async ([type, body]) => {
    const answer = await rig.post("/sources/web-access", body, { "content-type": type });
    expect(answer.body).toMatchObject({ accepted: 2, refused: 0 });
  });
});

test("POST /sources/gcp takes a push message, and /sources/azure-activity and /sources/okta their batches", async () => {
  const entry = {
    protoPayload: { methodName: "a.b.c" },
    insertId: "push-1",
    timestamp: "2026-11-21T11:00:00Z",
  };
  const data = Buffer.from(JSON.stringify(entry)).toString("base64");
  const pushed = await rig.post("/sources/gcp", {
    message: { data },
    subscription: "projects/a/subscriptions/b",
  });
  expect(pushed.body.results).toMatchObject([{ id: "push-1/2026-11-21T11:00:00Z" }]);
  const record = {
    time: "2026-11-21T11:00:00Z",
    resourceId: "/r",
    operationName: "M/a/write",
    category: "Administrative",
  };
  const records = await rig.post("/sources/azure-activity", {
    records: [record, { ...record, category: "AuditEvent" }],
  });
  expect(records.body.results).toMatchObject([{ status: 202 }, { status: 422 }]);
  const event = { uuid: "okta-1", eventType: "user.session.start", actor: { id: "a" } };
  const hook = await rig.post("/sources/okta", { data: { events: [event] } });
  expect(hook.body.results).toMatchObject([{ id: "okta-1" }]);
});

test("GET /sources/okta answers what an event hook asks, and nothing else", async () => {
  const asked = await rig.request("/sources/okta", { headers: { "x-okta-verification-challenge": "abc" } });
  expect([asked.status, asked.body]).toEqual([200, { verification: "abc" }]);
  expect((await rig.request("/sources/okta", {})).body).toMatchObject({
    status: 422,
    code: "SOURCE_RECORD_INVALID",
  });
  expect((await rig.request("/sources/gcp", {})).status).toBe(405);
});

test.for([
  [
    "deeper than an event may be",
    `{"kind":"Event","verb":"get","a":${"[".repeat(63)}${"]".repeat(63)}}`,
    "EVENT_TOO_DEEP",
  ],
  ["no JSON", "kind: Event", "EVENT_BODY_INVALID"],
] as const)("a record that is %s is refused before it is stored", async ([, body, code]) => {
  const stored = rig.ledger.stored.length;
  const answer = await rig.post("/sources/kubernetes", body, { "content-type": "application/json" });
  expect(answer.body).toMatchObject({ status: 400, code });
  expect(rig.ledger.stored).toHaveLength(stored);
});

test("a record that fits into a request, but not into an event together with what is said of it, is refused", async () => {
  const record = { kind: "Event", verb: "get", auditID: "huge", requestObject: "x".repeat(1_048_450) };
  const answer = await rig.post("/sources/kubernetes", record);
  expect(answer.body).toMatchObject({ status: 413, code: "EVENT_TOO_LARGE" });
  expect(rig.ledger.stored.map(({ id }) => id)).not.toContain("huge");
});

/** Set to a folder of `*.ndjson` files whose names begin with that of a source. */
const folder = process.env["AUDITFLOW_REAL_EVENTS"];

describe.skipIf(folder === undefined)("real records", () => {
  const files = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith(".ndjson"));

  test.for(files)("of %s are accepted by their adapter, and recognised without it", async (file) => {
    await using real = await startGenerator();
    const body = readFileSync(`${folder}/${file}`);
    const records = body.toString().trim().split("\n");
    const ndjson = { "content-type": "application/x-ndjson" };
    const named = await real.post(`/sources/${file.replace(/[^a-z].*$/, "")}`, body, ndjson);
    expect(named.body.results.filter(({ status }: { status: number }) => status !== 202)).toEqual([]);
    expect(named.body.accepted).toBe(records.length);
    const recognised = await real.post("/events", body, ndjson);
    expect(recognised.body.results.every(({ duplicate }: { duplicate?: true }) => duplicate)).toBe(true);
    const originals = real.ledger.stored.map(({ data }) => (data as { original?: unknown }).original);
    expect(originals).toHaveLength(new Set(records).size);
  });
});

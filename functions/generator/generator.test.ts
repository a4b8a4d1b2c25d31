import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import type { EventRejected } from "../../events/contracts/event-rejected.ts";
import { type Rig, startGenerator } from "./test-rig.ts";

const type = "io.auditflow.audit.recorded.v1";
const login = { event_type: "user_login", user_id: "ana", action_result: "FAILURE" };

let rig: Rig;
beforeAll(async () => void (rig = await startGenerator()));
afterAll(() => rig[Symbol.asyncDispose]());

const ceHeaders = (id: string, more: Record<string, string> = {}) => ({
  "ce-specversion": "1.0",
  "ce-type": type,
  "ce-source": "/my/app",
  "ce-id": id,
  "content-type": "application/json",
  ...more,
});

/** The record of the refusal of the event with this id. */
const rejectionOf = (id: string) =>
  rig.sink.received.find(
    (event) =>
      event.type === "io.auditflow.event.rejected.v1" && (event.data as EventRejected).event.id === id,
  );
const published = (id: string) => rig.sink.received.find((event) => event.id === id);

describe("a CloudEvent at POST /", () => {
  test("in binary mode is accepted, stored and published with its own id, source, time and data", async () => {
    const answer = await rig.post("/", login, ceHeaders("b-1", { "ce-time": "2026-11-21T12:00:00.120Z" }));
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ status: "accepted", id: "b-1", source: "/my/app" });
    expect(rig.ledger.stored.map(({ id }) => id)).toContain("b-1");
    await expect
      .poll(() => published("b-1"))
      .toMatchObject({
        id: "b-1",
        source: "/my/app",
        type,
        time: "2026-11-21T12:00:00.120Z",
        subject: "user_login/ana",
        data: login,
      });
  });

  test("in structured mode is accepted, and its own subject and extensions are kept", async () => {
    const event = {
      specversion: "1.0",
      id: "s-1",
      source: "urn:x",
      type,
      subject: "mine",
      tenant: "a",
      data: login,
    };
    const answer = await rig.post("/", JSON.stringify(event), {
      "content-type": "application/cloudevents+json; charset=utf-8",
    });
    expect(answer.status).toBe(202);
    await expect.poll(() => published("s-1")).toMatchObject({ subject: "mine", extensions: { tenant: "a" } });
  });

  test("continues the trace of the request", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await rig.post("/", login, ceHeaders("t-1", { traceparent }));
    await expect.poll(() => published("t-1")?.extensions).toMatchObject({ traceparent });
  });
});

describe("an event sent twice", () => {
  test("is accepted again under the same id, stored once, and published again", async () => {
    const send = () => rig.post("/events", { ...login, event_id: "twice-1" });
    expect((await send()).body).toMatchObject({ status: "accepted", id: "twice-1" });
    expect((await send()).body).toMatchObject({ status: "accepted", id: "twice-1", duplicate: true });
    expect(rig.ledger.stored.filter(({ id }) => id === "twice-1")).toHaveLength(1);
    await expect.poll(() => rig.sink.received.filter(({ id }) => id === "twice-1").length).toBe(2);
  });

  test("without a timestamp is still the same event later", async () => {
    let now = Date.parse("2026-11-21T12:00:00Z");
    await using later = await startGenerator({ overrides: { now: () => now } });
    await later.post("/events", { ...login, event_id: "twice-2" });
    now += 60_000;
    const again = await later.post("/events", { ...login, event_id: "twice-2" });
    expect([again.status, again.body.duplicate]).toEqual([202, true]);
  });

  test("with other data is refused, and neither stored nor published", async () => {
    await rig.post("/events", { ...login, event_id: "taken" });
    const answer = await rig.post("/events", { ...login, event_id: "taken", user_id: "eve" });
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({
      code: "EVENT_ID_REUSED",
      detail: expect.stringContaining('"taken"'),
    });
    expect(rig.ledger.stored.filter(({ id }) => id === "taken")).toHaveLength(1);
    await expect.poll(() => rejectionOf("taken")).toMatchObject({ data: { code: "EVENT_ID_REUSED" } });
    expect(rig.sink.received.map(({ data }) => (data as { user_id?: string }).user_id)).not.toContain("eve");
  });
});

describe("POST /events", () => {
  test("takes one audit event as it is", async () => {
    const answer = await rig.post("/events", { ...login, source_service: "sshd", event_id: "one" });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ status: "accepted", id: "one", source: "/auditflow/source/sshd" });
  });

  test("takes an array, and tells of each record what became of it", async () => {
    const answer = await rig.post("/events", [
      { ...login, event_id: "a-1" },
      { ...login, event_id: "a-2", event_type: 5 },
      { ...login, event_id: "a-3" },
      "not an event",
    ]);
    expect(answer.status).toBe(207);
    expect(answer.body).toMatchObject({
      accepted: 2,
      refused: 2,
      results: [
        { index: 0, status: 202, id: "a-1" },
        { index: 1, status: 422, problem: { code: "EVENT_DATA_INVALID", pointer: "/event_type" } },
        { index: 2, status: 202, id: "a-3" },
        { index: 3, status: 422, problem: { code: "EVENT_DATA_INVALID" } },
      ],
    });
    expect(rig.ledger.stored.map(({ id }) => id)).toEqual(expect.arrayContaining(["a-1", "a-3"]));
  });

  test("takes NDJSON, and a broken line takes no other with it", async () => {
    const lines = [
      JSON.stringify({ ...login, event_id: "n-1" }),
      "",
      '{"event_type":',
      JSON.stringify(login),
    ];
    const answer = await rig.post("/events", `${lines.join("\r\n")}\n`, {
      "content-type": "application/x-ndjson",
    });
    expect(answer.status).toBe(207);
    expect(answer.body.results).toMatchObject([
      { index: 0, status: 202, id: "n-1" },
      { index: 1, status: 400, problem: { code: "EVENT_BODY_INVALID" } },
      { index: 2, status: 202 },
    ]);
  });

  test("takes a batch of CloudEvents", async () => {
    const event = { specversion: "1.0", source: "/my/app", type, data: login };
    const batch = [{ ...event, id: "c-1" }, { ...event, id: "c-2", type: "com.example.other" }, { ...event }];
    const answer = await rig.post("/events", JSON.stringify(batch), {
      "content-type": "application/cloudevents-batch+json",
    });
    expect(answer.status).toBe(207);
    expect(answer.body.results).toMatchObject([
      { index: 0, status: 202, id: "c-1", source: "/my/app" },
      { index: 1, status: 422, problem: { code: "EVENT_TYPE_UNKNOWN" } },
      { index: 2, status: 400, problem: { code: "EVENT_ATTRIBUTE_MISSING", pointer: "/id" } },
    ]);
  });

  test("takes CloudEvents and records of known sources among audit events", async () => {
    const trail = {
      eventSource: "s3.amazonaws.com",
      eventName: "GetObject",
      eventTime: "2026-11-21T11:00:00Z",
      eventID: "ct-1",
    };
    const cloudEvent = { specversion: "1.0", id: "mixed-1", source: "/x", type, data: login };
    const answer = await rig.post("/events", [trail, cloudEvent, { ...login, event_id: "mixed-2" }]);
    expect(answer.status).toBe(202);
    expect(answer.body.results).toMatchObject([
      { id: "ct-1", source: "/auditflow/source/cloudtrail" },
      { id: "mixed-1", source: "/x" },
      { id: "mixed-2", source: "/auditflow/generator" },
    ]);
  });

  test.for([
    ["nothing is accepted and nothing refused in an empty array", [], 202],
    ["none is acceptable", [{}, { event_type: "" }], 422],
  ] as const)("%s", async ([, body, status]) => {
    expect((await rig.post("/events", body)).status).toBe(status);
  });
});

describe("a refusal", () => {
  test("of an event that can be identified is recorded for those who run the pipeline", async () => {
    await rig.post("/", { ...login, event_type: 7 }, ceHeaders("bad-1"));
    await expect
      .poll(() => rejectionOf("bad-1"))
      .toMatchObject({
        source: "/auditflow/generator",
        data: {
          code: "EVENT_DATA_INVALID",
          pointer: "/data/event_type",
          function: "generator",
          event: { id: "bad-1", source: "/my/app", type },
        },
      });
    const rejected = rejectionOf("bad-1")?.data as EventRejected | undefined;
    expect(JSON.parse(Buffer.from(rejected?.request.body_base64 ?? "", "base64").toString())).toMatchObject({
      event_type: 7,
    });
  });

  test("is counted by its reason", async () => {
    const before = await rig.count("auditflow_events_rejected_total", { code: "EVENT_DATA_INVALID" });
    await rig.post("/events", {});
    expect(await rig.count("auditflow_events_rejected_total", { code: "EVENT_DATA_INVALID" })).toBe(
      before + 1,
    );
  });
});

describe("while PostgreSQL is away", () => {
  test.for(["/events", "/generate_event"])(
    "%s answers 503 with Retry-After and publishes nothing",
    async (path) => {
      await using away = await startGenerator();
      away.ledger.away = true;
      const answer = await away.post(path, { ...login, event_id: "lost?" });
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(JSON.stringify(answer.body)).not.toContain("10.1.2.3");
      expect(away.sink.received).toEqual([]);
    },
  );

  test("a batch is answered 503 as a whole, so that a sender that reads no body sends it again", async () => {
    await using away = await startGenerator();
    away.ledger.away = true;
    const answer = await away.post("/events", [{ ...login, event_id: "x" }, { event_type: 1 }]);
    expect(answer.status).toBe(503);
    expect(answer.body.results).toMatchObject([{ status: 503 }, { status: 422 }]);
  });
});

describe("while the broker is away", () => {
  test("an event is accepted, because the ledger has it; the failure is counted", async () => {
    await using away = await startGenerator();
    away.sink.answerWith(503);
    expect((await away.post("/events", { ...login, event_id: "kept" })).status).toBe(202);
    expect(away.ledger.stored).toHaveLength(1);
    await expect.poll(() => away.count("auditflow_events_published_total", { outcome: "failed" })).toBe(1);
  });

  test("with AUDITFLOW_DURABILITY=broker it is answered 503, and 202 once the broker confirms again", async () => {
    await using away = await startGenerator({ env: { AUDITFLOW_DURABILITY: "broker", DATABASE_URL: "" } });
    away.sink.answerWith(503);
    const refused = await away.post("/events", { ...login, event_id: "b" });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    away.sink.answerWith(202);
    expect((await away.post("/events", { ...login, event_id: "b" })).status).toBe(202);
    expect(away.sink.received.map(({ id }) => id)).toEqual(["b"]);
    expect(away.ledger.stored).toEqual([]);
  });
});

test("what was accepted is published before the function is disposed", async () => {
  const closing = await startGenerator();
  const body = Array.from({ length: 200 }, (_, index) => ({ ...login, event_id: `drain-${index}` }));
  const { received } = closing.sink;
  expect((await closing.post("/events", body)).status).toBe(202);
  await closing[Symbol.asyncDispose]();
  expect(new Set(received.map(({ id }) => id)).size).toBe(200);
});

test("configuration without a database is refused by name", async () => {
  const starting = startGenerator({ env: { DATABASE_URL: "" } });
  await expect(starting).rejects.toThrow(/DATABASE_URL/);
});

vi.setConfig({ testTimeout: 20_000 });

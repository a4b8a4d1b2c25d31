import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { parseInstant } from "../../events/time.ts";
import { login } from "./scenarios/cast.ts";
import { type Rig, startGenerator } from "./test-rig.ts";

/** What the predecessor's generator got wrong, one test for each, and what of it had to stay. */

const now = Date.parse("2026-11-21T12:00:00Z");
const event = { event_type: "user_login", user_id: "ana", action_result: "FAILURE" };

let rig: Rig;
beforeAll(async () => void (rig = await startGenerator({ overrides: { now: () => now } })));
afterAll(() => rig[Symbol.asyncDispose]());

const stored = (id: string) => rig.ledger.stored.find((each) => each.id === id);

describe("POST /generate_event, as the predecessor's clients know it", () => {
  test("needs only event_type, and answers 202 with status and event_id", async () => {
    const answer = await rig.post("/generate_event", { event_type: "user_login" });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ status: "success", event_id: expect.any(String) });
    expect(stored(answer.body.event_id)?.data).toEqual({
      event_type: "user_login",
      event_id: answer.body.event_id,
      id_generated: true,
      time_generated: true,
    });
  });

  test("takes the predecessor's whole event, also with its nulls", async () => {
    const whole = {
      event_id: "7c0f4b0e-1b1e-4c59-8a3d-0a8f5f0d1e11",
      timestamp: "2026-11-21T11:59:58.120000+00:00Z",
      source_service: "audit-event-generator",
      server_hostname: "host-1",
      event_type: "file_modified",
      severity: "CRITICAL",
      user_id: null,
      action_result: "MODIFIED",
      details: { resource: "/etc/passwd", old_checksum: "aa", new_checksum: "bb", size_change_bytes: -12 },
    };
    const answer = await rig.post("/generate_event", whole);
    expect(answer.body).toEqual({ status: "success", event_id: whole.event_id });
    expect(stored(whole.event_id)).toMatchObject({ time: "2026-11-21T11:59:58.120Z", data: whole });
  });

  test("answers 503 with Retry-After when nothing could be made durable", async () => {
    await using away = await startGenerator({ env: { AUDITFLOW_DURABILITY: "broker" } });
    away.sink.answerWith(500);
    const answer = await away.post("/generate_event", event);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

test("predecessor-bug-02: the synthetic logins carry their address where the rules read it", () => {
  const { details } = login({ user: "root", host: "edge-1", address: "203.0.113.7" }, "FAILURE");
  expect(details).toMatchObject({ ip_address: "203.0.113.7" });
});

test("predecessor-bug-07: an event without event_id has its id fixed before the broker sees it", async () => {
  const { body } = await rig.post("/generate_event", event);
  await expect
    .poll(() => rig.sink.received.find(({ id }) => id === body.event_id)?.data)
    .toMatchObject({ event_id: body.event_id, id_generated: true });
  expect(body.event_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
});

test("predecessor-bug-17: with AUDITFLOW_DURABILITY=broker nothing is accepted that the broker did not confirm", async () => {
  await using unconfirmed = await startGenerator({ env: { AUDITFLOW_DURABILITY: "broker" } });
  unconfirmed.sink.answerWith(503);
  await unconfirmed.post("/generate_event", event);
  expect(await unconfirmed.count("auditflow_events_published_total", { outcome: "sent" })).toBe(0);
  expect(unconfirmed.sink.received).toEqual([]);
});

test("predecessor-bug-18: 202 is not answered when the event was not kept", async () => {
  await using away = await startGenerator();
  away.ledger.away = true;
  expect((await away.post("/generate_event", event)).status).toBe(503);
});

test("predecessor-bug-20: a broker that hangs does not hold up the answer", async () => {
  await using hanging = await startGenerator({ env: { AUDITFLOW_SINK_TIMEOUT_MS: "1000" } });
  hanging.sink.answerWith(0);
  expect((await hanging.post("/generate_event", event)).status).toBe(202);
  expect(await hanging.count("auditflow_events_published_total")).toBe(0);
});

test("predecessor-bug-31 and -32: times are written in UTC with one Z, whatever came in", async () => {
  const { body } = await rig.post("/generate_event", { ...event, timestamp: "2026-11-21T11:00:00+00:00Z" });
  expect(stored(body.event_id)?.time).toBe("2026-11-21T11:00:00.000Z");
  const { body: without } = await rig.post("/generate_event", event);
  expect(parseInstant(stored(without.event_id)?.time)).toBe(now);
});

describe("predecessor-bug-33", () => {
  test("the client's event_id, timestamp and source_service are kept", async () => {
    const mine = {
      ...event,
      event_id: "mine-1",
      timestamp: "2026-11-20T08:00:00Z",
      source_service: "my-api",
    };
    const { body } = await rig.post("/generate_event", mine);
    expect(body.event_id).toBe("mine-1");
    expect(stored("mine-1")).toMatchObject({
      source: "/auditflow/source/my-api",
      time: "2026-11-20T08:00:00.000Z",
      data: mine,
    });
  });

  test("no host, user or anything else is invented", async () => {
    const { body } = await rig.post("/generate_event", { event_type: "user_login" });
    const added = Object.keys(stored(body.event_id)?.data ?? {}).toSorted();
    expect(added).toEqual(["event_id", "event_type", "id_generated", "time_generated"]);
  });
});

describe("predecessor-bug-34", () => {
  test.for([
    ["is not JSON", "event_type=user_login", 400],
    ["is an array", "[]", 422],
    ["has no event_type", "{}", 422],
  ] as const)(
    "a body that %s is answered with a problem, not with a failure of ours",
    async ([, body, status]) => {
      const answer = await rig.post("/generate_event", body, { "content-type": "application/json" });
      expect(answer.status).toBe(status);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
    },
  );
});

test("predecessor-bug-37: the text of an exception is not told to the client", async () => {
  await using failing = await startGenerator();
  failing.ledger.accept = () => Promise.reject(new Error("password authentication failed for user jdevlab"));
  const answer = await failing.post("/generate_event", event);
  expect(answer.status).toBe(500);
  expect(JSON.stringify(answer.body)).not.toMatch(/jdevlab|password/);
});

test("predecessor-bug-44: what a client writes never becomes a label of a metric", async () => {
  const mark = "cardinality-bomb";
  await rig.post("/generate_event", {
    event_type: mark,
    user_id: mark,
    server_hostname: mark,
    source_service: mark,
  });
  await rig.post("/events", { event_type: `${mark} !` });
  const { body } = await rig.request("/metrics", {});
  expect(body).toContain("auditflow_events_published_total");
  expect(body).not.toContain(mark);
});

test("predecessor-bug-46: with broker and database away it is alive, and says what does not work", async () => {
  await using away = await startGenerator();
  away.ledger.away = true;
  away.sink.answerWith(503);
  expect((await away.request("/livez", {})).status).toBe(200);
});

test("predecessor-bug-49: an event that is accepted or refused leaves no data of it in the log", async () => {
  const lines: string[] = [];
  await using logged = await startGenerator({ log: (line) => lines.push(line) });
  logged.sink.answerWith(503);
  await logged.post("/generate_event", { ...event, user_id: "secret-person" });
  await logged.post("/generate_event", { ...event, event_id: "secret-person", user_id: 5 });
  await expect.poll(() => lines.some((line) => line.includes("not published"))).toBe(true);
  expect(lines.join("\n")).not.toContain("secret-person");
});

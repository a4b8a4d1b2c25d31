import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { eventsBetween } from "./traffic.ts";
import { type Rig, startGenerator } from "./test-rig.ts";

const start = Date.parse("2026-11-21T12:00:00Z");
const minute = 60_000;

let now = start;
let rig: Rig;
beforeEach(async () => {
  now = start;
  rig = await startGenerator({ overrides: { now: () => now } });
});
afterEach(() => rig[Symbol.asyncDispose]());

const put = (body: unknown) => rig.put("/generator", body);
const tick = () => rig.post("/generator/tick", "");

describe("GET /generator", () => {
  test("shows the settings and the scenarios there are", async () => {
    const { status, body } = await rig.request("/generator", {});
    expect(status).toBe(200);
    expect(body).toMatchObject({ on: false, events_per_second: 1, seed: 1, mix: { "working-day": 12 } });
    expect(body.scenarios.map(({ name }: { name: string }) => name)).toContain("brute-force");
  });

  test("is on from the start when the predecessor's interval is set", async () => {
    await using predecessor = await startGenerator({ env: { EVENT_GENERATION_INTERVAL_SECONDS: "4" } });
    expect((await predecessor.request("/generator", {})).body).toMatchObject({
      on: true,
      events_per_second: 0.25,
    });
  });
});

describe("PUT /generator", () => {
  test("changes what is given, keeps the rest, and a new traffic begins now", async () => {
    now += 5000;
    const { status, body } = await put({ on: true, events_per_second: 10 });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      on: true,
      events_per_second: 10,
      seed: 1,
      started_at: "2026-11-21T12:00:05.000Z",
    });
    now += 5000;
    expect((await put({ on: true })).body.started_at).toBe("2026-11-21T12:00:05.000Z");
    expect((await rig.request("/generator", {})).body).toEqual((await put({})).body);
  });

  test.for([
    [{ on: "yes" }, "/on"],
    [{ events_per_second: 0 }, "/events_per_second"],
    [{ events_per_second: 501 }, "/events_per_second"],
    [{ mix: {} }, "/mix"],
    [{ mix: { "brute-force": 0 } }, "/mix"],
    [{ mix: { "brute-force": -1 } }, "/mix/brute-force"],
    [{ mix: { unknown: 1 } }, "/mix/unknown"],
    [{ seed: 1.5 }, "/seed"],
    [{ started_at: "now" }, "/started_at"],
    [{ volume: 11 }, "/volume"],
    [[], ""],
  ] as const)("refuses %j, naming the place", async ([body, pointer]) => {
    const before = await rig.request("/generator", {});
    const answer = await put(body);
    expect(answer.body).toMatchObject({ status: 422, code: "SETTINGS_INVALID", pointer });
    expect((await rig.request("/generator", {})).body).toEqual(before.body);
  });

  test("refuses what is not JSON", async () => {
    expect((await put("{")).body).toMatchObject({ status: 400, code: "EVENT_BODY_INVALID" });
  });
});

describe("POST /generator/tick", () => {
  test("emits nothing while it is switched off", async () => {
    expect((await tick()).body).toEqual({ on: false, emitted: 0 });
    expect(rig.ledger.stored).toEqual([]);
  });

  test("emits what became due since the last tick, with times in the past", async () => {
    await put({ on: true, events_per_second: 5, mix: { "brute-force": 1 } });
    now += minute;
    const { body } = await tick();
    expect(body).toMatchObject({ on: true, until: "2026-11-21T12:01:00.000Z" });
    expect(body.emitted).toBeGreaterThan(100);
    expect(rig.ledger.stored).toHaveLength(body.emitted);
    const times = rig.ledger.stored.map(({ time }) => Date.parse(time ?? ""));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(start);
    expect(Math.max(...times)).toBeLessThanOrEqual(now);
    expect((await tick()).body.emitted).toBe(0);
  });

  test("doubles nothing when two replicas tick that do not know of each other", async () => {
    await using other = await startGenerator({ overrides: { now: () => now }, ledger: rig.ledger });
    const settings = { on: true, events_per_second: 5, started_at: "2026-11-21T12:00:00Z" };
    for (const each of [rig, other]) await each.put("/generator", settings);
    now += minute;
    const answers = await Promise.all([tick(), other.post("/generator/tick", ""), tick()]);
    const emitted = answers.map(({ body }) => body.emitted);
    expect(emitted[1]).toBeGreaterThan(10);
    expect(rig.ledger.stored).toHaveLength(Math.max(...emitted));
  });

  test("answers 503 when its events could not be made durable, and the next one catches up", async () => {
    await put({ on: true, events_per_second: 5 });
    now += minute;
    rig.ledger.away = true;
    expect((await tick()).status).toBe(503);
    rig.ledger.away = false;
    now += minute;
    await tick();
    const seen = rig.ledger.stored.map(({ time }) => Date.parse(time ?? ""));
    expect(Math.min(...seen)).toBeLessThan(start + minute);
  });

  test("does not make up for a long pause", async () => {
    await put({ on: true, events_per_second: 5 });
    now += 8 * 60 * minute;
    await tick();
    const seen = rig.ledger.stored.map(({ time }) => Date.parse(time ?? ""));
    expect(Math.min(...seen)).toBeGreaterThan(now - 5 * minute);
  });

  test("that fails halfway is taken up where it stopped, and in the end nothing is missing", async () => {
    const settings = { on: true, events_per_second: 20, started_at: "2026-11-21T12:00:00Z" };
    const { mix, seed } = (await rig.put("/generator", settings)).body;
    const accept = rig.ledger.accept.bind(rig.ledger);
    rig.ledger.accept = async (event) => {
      rig.ledger.away = rig.ledger.stored.length >= 100;
      return accept(event);
    };
    now += minute;
    expect((await tick()).status).toBe(503);
    rig.ledger.accept = accept;
    rig.ledger.away = false;
    const { body } = await tick();
    const whole = eventsBetween({ seed, mix, startedAt: start, eventsPerSecond: 20 }, start - 1, now);
    expect(body.emitted).toBeLessThan(whole.length);
    expect(new Set(rig.ledger.stored.map(({ id }) => id))).toEqual(new Set(whole.map(({ id }) => id)));
  });

  test("stops when it takes too long, and the next one goes on", async () => {
    await rig.put("/generator", { on: true, events_per_second: 20 });
    now += minute;
    const accept = rig.ledger.accept.bind(rig.ledger);
    rig.ledger.accept = (event) => {
      now += 1000;
      return accept(event);
    };
    const { body } = await tick();
    expect(Date.parse(body.until)).toBeLessThan(start + minute);
    rig.ledger.accept = accept;
    expect((await tick()).body).toMatchObject({ until: new Date(now).toISOString() });
  });

  test("replays the same events for the same seed and start", async () => {
    const settings = { on: true, seed: 42, events_per_second: 5, started_at: "2026-11-21T12:00:00Z" };
    await using other = await startGenerator({ overrides: { now: () => now } });
    now += minute;
    for (const each of [rig, other]) {
      await each.put("/generator", settings);
      await each.post("/generator/tick", "");
    }
    expect(rig.ledger.stored.length).toBeGreaterThan(10);
    expect(other.ledger.stored).toEqual(rig.ledger.stored);
  });
});

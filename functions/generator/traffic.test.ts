import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { createRandom } from "./scenarios/random.ts";
import { scenarios } from "./scenarios/registry.ts";
import { eventsBetween, type Traffic, trafficId } from "./traffic.ts";

const startedAt = Date.parse("2026-11-21T12:00:00Z");
const minute = 60_000;
const everything = Object.fromEntries([...scenarios.keys()].map((name) => [name, 1]));
const traffic: Traffic = { seed: 7, startedAt, eventsPerSecond: 2, mix: everything };

describe.each([...scenarios.values()])("$name", (scenario) => {
  const playings = Array.from({ length: 400 }, (_, seed) => scenario.play(createRandom(seed, seed)));

  test("tells the same story for the same chance", () => {
    const [first, second] = [1, 1].map((seed) => scenario.play(createRandom(seed, 5)));
    expect(first).toEqual(second);
    expect(playings.some((steps) => JSON.stringify(steps) !== JSON.stringify(first))).toBe(true);
  });

  test("records audit events, within its duration", () => {
    for (const { atMs, data } of playings.flat()) {
      expect(auditRecorded.data.safeParse(data).error).toBeUndefined();
      expect(Number.isInteger(atMs) && atMs >= 0 && atMs <= scenario.durationMs).toBe(true);
    }
  });

  test("has about as many steps as it says", () => {
    const mean = playings.flat().length / playings.length;
    expect(mean / scenario.meanSteps).toBeGreaterThan(0.9);
    expect(mean / scenario.meanSteps).toBeLessThan(1.1);
  });
});

const play = (name: string, seed = 3) => scenarios.get(name)?.play(createRandom(seed, 0)) ?? [];
const failures = (name: string) => play(name).filter(({ data }) => data.action_result === "FAILURE");

describe("what makes a scenario hostile", () => {
  test("brute force: many failures of one account on one host from one address within a minute", () => {
    expect(failures("brute-force").length).toBeGreaterThanOrEqual(8);
    expect(
      new Set(failures("brute-force").map(({ data }) => `${data.user_id}@${data.server_hostname}`)).size,
    ).toBe(1);
  });

  test("password spray: each account once, from one address", () => {
    const steps = failures("password-spray");
    expect(new Set(steps.map(({ data }) => data.user_id)).size).toBe(steps.length);
    expect(new Set(steps.map(({ data }) => data.details?.["ip_address"])).size).toBe(1);
  });

  test("slow spray: never three failures within five minutes", () => {
    const times = play("slow-spray").map(({ atMs }) => atMs);
    for (const [index, time] of times.entries())
      expect((times[index + 2] ?? Infinity) - time).toBeGreaterThan(300_000);
  });

  test("success after failures: it ends with a success from the same address", () => {
    const steps = play("success-after-failures");
    expect(steps.at(-1)?.data.action_result).toBe("SUCCESS");
    expect(steps.slice(0, -1).every(({ data }) => data.action_result === "FAILURE")).toBe(true);
    expect(new Set(steps.map(({ data }) => data.details?.["ip_address"])).size).toBe(1);
  });

  test("sensitive file edit: a file that decides who may enter is modified", () => {
    const resources = play("sensitive-file-edit").map(({ data }) => data.details?.["resource"]);
    expect(["/etc/shadow", "/etc/passwd", "/etc/sudoers"]).toContain(resources.at(-1));
  });

  test("privilege grab: the new account is given every right", () => {
    const account = play("privilege-grab")[2]?.data.details?.["resource"];
    expect(play("privilege-grab")[3]?.data.details?.["command"]).toBe(`usermod -aG sudo ${String(account)}`);
  });

  test("a working day has no more than one failure, and touches nothing sensitive", () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const steps = play("working-day", seed);
      expect(steps.filter(({ data }) => data.action_result === "FAILURE").length).toBeLessThanOrEqual(1);
      expect(JSON.stringify(steps)).not.toMatch(/\/etc\/|usermod|useradd/);
    }
  });
});

describe("a traffic", () => {
  test("is the same for the same seed and start: events, ids and times", () => {
    const hour = () => eventsBetween({ ...traffic }, startedAt - 1, startedAt + 20 * minute);
    expect(hour()).toEqual(hour());
    expect(hour().length).toBeGreaterThan(1000);
  });

  test("does not depend on how it is cut into ticks", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3 * minute }), { maxLength: 6 }), (lengths) => {
        let from = startedAt - 1;
        const parts = lengths.flatMap((length) => eventsBetween(traffic, from, (from += length)));
        expect(parts).toEqual(eventsBetween(traffic, startedAt - 1, from));
      }),
      { numRuns: 25 },
    );
  });

  test("gives an event at the very end of a tick to that tick, and not to the next", () => {
    const events = eventsBetween(traffic, startedAt - 1, startedAt + 10 * minute);
    const cut = events[Math.floor(events.length / 2)]?.time ?? 0;
    const parts = [
      eventsBetween(traffic, startedAt - 1, cut),
      eventsBetween(traffic, cut, startedAt + 10 * minute),
    ];
    expect(parts.flat()).toEqual(events);
  });

  test("has an id of its own for every event, also against other traffics", () => {
    const ids = [
      traffic,
      { ...traffic, seed: 8 },
      { ...traffic, startedAt: startedAt + 1 },
      { ...traffic, eventsPerSecond: 3 },
    ]
      .flatMap((each) => eventsBetween(each, startedAt - 1, startedAt + 30 * minute))
      .map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.for([0.5, 5, 50])("has %d events a second in the long run", (eventsPerSecond) => {
    const span = (12_000 / eventsPerSecond) * 1000;
    const from = startedAt + 60 * minute;
    const events = eventsBetween({ ...traffic, eventsPerSecond }, from, from + span);
    const rate = (events.length * 1000) / span;
    expect(rate / eventsPerSecond).toBeGreaterThan(0.9);
    expect(rate / eventsPerSecond).toBeLessThan(1.1);
  });

  test("plays scenarios as often as their weights say, and says that it is synthetic", () => {
    const mix = { "sensitive-file-edit": 3, "privilege-grab": 1 };
    const events = eventsBetween(
      { ...traffic, eventsPerSecond: 20, mix },
      startedAt - 1,
      startedAt + 30 * minute,
    );
    const edits = events.filter(({ data }) => data.event_type === "file_modified").length;
    const grabs = events.filter(({ data }) => data.event_type === "user_account_management").length;
    expect(edits / grabs).toBeGreaterThan(2.6);
    expect(edits / grabs).toBeLessThan(3.4);
    expect(events.every(({ data }) => data.tags?.includes("synthetic"))).toBe(true);
  });

  test("without a scenario is silent", () => {
    expect(eventsBetween({ ...traffic, mix: { "brute-force": 0 } }, startedAt, startedAt + minute)).toEqual(
      [],
    );
  });

  test("is named by what decides it, whatever the order of its mix", () => {
    const mixed = (mix: Traffic["mix"]) => trafficId({ ...traffic, mix });
    expect(mixed({ a: 1, b: 2 })).toBe(mixed({ b: 2, a: 1 }));
    expect(mixed({ a: 1, b: 2 })).not.toBe(mixed({ a: 2, b: 1 }));
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { digestTime } from "./digest-time.ts";
import { holdOf } from "./hold.ts";
import { routesOf } from "./routing.testing.ts";
import { contains, endOf, type TimeWindow } from "./windows.ts";
import { instantOf, localTime } from "./zone.ts";

const windowOf = (yaml: string): TimeWindow => {
  const { muteTimes } = routesOf(`mute_times: {w: ${yaml}}\nroute: {channels: [], mute_times: [w]}`);
  const window = muteTimes.get("w");
  if (!window) throw new Error("no window");
  return window;
};
const at = (text: string) => Date.parse(text);
const endIn = (window: TimeWindow, from: number) =>
  endOf([window], from, (instant) => contains(window, instant));

describe("a window", { timeout: 60_000 }, () => {
  test.each([
    ["{weekdays: [monday:friday], times: ['08:00-17:30']}", "2026-11-20T08:00:00Z", true],
    ["{weekdays: [monday:friday], times: ['08:00-17:30']}", "2026-11-20T17:30:00Z", false],
    ["{weekdays: [monday:friday]}", "2026-11-21T12:00:00Z", false],
    ["{weekdays: [saturday:monday]}", "2026-11-22T12:00:00Z", true],
    ["{weekdays: [friday], times: ['22:00-06:00']}", "2026-11-21T05:59:59Z", true],
    ["{weekdays: [friday], times: ['22:00-06:00']}", "2026-11-20T05:59:59Z", false],
    ["{times: ['00:00-24:00']}", "2026-11-21T23:59:59Z", true],
    ["{days_of_month: ['-1']}", "2028-02-29T12:00:00Z", true],
    ["{days_of_month: ['-1']}", "2026-02-28T12:00:00Z", true],
    ["{days_of_month: ['-3:-2', 1]}", "2026-11-30T12:00:00Z", false],
    ["{days_of_month: ['-3:-2', 1]}", "2026-11-01T12:00:00Z", true],
    ["{months: [november:february]}", "2027-02-01T00:00:00Z", true],
    ["{months: ['6:8']}", "2026-09-01T00:00:00Z", false],
    ["{times: ['08:00-09:00'], location: America/New_York}", "2026-07-01T12:30:00Z", true],
    ["{times: ['08:00-09:00'], location: America/New_York}", "2026-12-01T12:30:00Z", false],
    ["{times: ['08:00-09:00'], location: Asia/Kathmandu}", "2026-12-01T02:15:00Z", true],
  ])("%s holds at %s: %s", (yaml, instant, expected) => {
    expect(contains(windowOf(yaml), at(instant))).toBe(expected);
  });

  test.each([
    // The hour from 2 to 3 is left out on 28 March 2027 and comes twice on 31 October.
    ["{times: ['22:00-06:00'], location: Europe/Berlin}", "2027-03-27T22:00:00Z", "2027-03-28T04:00:00Z"],
    ["{times: ['22:00-06:00'], location: Europe/Berlin}", "2027-10-30T22:00:00Z", "2027-10-31T05:00:00Z"],
    ["{times: ['01:00-02:30'], location: Europe/Berlin}", "2027-03-28T00:30:00Z", "2027-03-28T01:00:00Z"],
    ["{times: ['02:15-02:45'], location: Europe/Berlin}", "2027-10-31T00:20:00Z", "2027-10-31T00:45:00Z"],
    ["{times: ['02:15-02:45'], location: Europe/Berlin}", "2027-10-31T01:20:00Z", "2027-10-31T01:45:00Z"],
    ["{times: ['02:45-03:30'], location: Europe/Berlin}", "2027-10-31T00:50:00Z", "2027-10-31T01:00:00Z"],
    ["{weekdays: [saturday, sunday]}", "2026-11-21T10:00:00Z", "2026-11-23T00:00:00Z"],
    ["{months: [december]}", "2026-12-05T10:00:00Z", "2027-01-01T00:00:00Z"],
  ])("%s that holds at %s ends at %s", (yaml, from, end) => {
    expect(new Date(endIn(windowOf(yaml), at(from)) ?? 0).toISOString()).toBe(new Date(end).toISOString());
  });

  test("one that never ends has no end", () => {
    expect(endIn(windowOf("{months: ['1:12']}"), at("2026-11-21T10:00:00Z"))).toBeUndefined();
  });

  test("ends where it says, and not before, in every zone and around every jump", () => {
    const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"];
    const clock = fc.integer({ min: 0, max: 1439 });
    fc.assert(
      fc.property(
        fc.tuple(fc.constantFrom(...zones), clock, clock).filter(([, from, to]) => from !== to),
        fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 3 }),
        fc.integer({ min: at("2027-01-01T00:00:00Z"), max: at("2027-12-31T00:00:00Z") }),
        ([location, from, to], weekdays, start) => {
          const window = { weekdays, times: [{ from, to }], daysOfMonth: [], months: [], location };
          const now = Math.floor(start / 60_000) * 60_000;
          const isIn = contains(window, now);
          const end = endOf([window], now, (instant) => contains(window, instant) === isIn) ?? NaN;
          expect(end).toBeGreaterThan(now);
          expect(contains(window, end)).toBe(!isIn);
          expect(contains(window, end - 60_000)).toBe(isIn);
          for (let probe = now; probe < Math.min(end, now + 2 * 86_400_000); probe += 600_000) {
            expect(contains(window, probe)).toBe(isIn);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

test(
  "a clock is read back as it was set, but for the minutes that a jump leaves out",
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(
        fc.constantFrom("Europe/Berlin", "Pacific/Apia", "America/St_Johns", "UTC"),
        fc.integer({ min: 0, max: 364 }),
        fc.integer({ min: 0, max: 1439 }),
        (zone, days, minute) => {
          const day = new Date(Date.UTC(2027, 0, 1 + days));
          const local = { year: 2027, month: day.getUTCMonth() + 1, day: day.getUTCDate() };
          const shown = localTime(zone, instantOf(zone, local, minute));
          const isLeftOut = shown.minute !== minute;
          expect(shown).toMatchObject(local);
          if (isLeftOut) expect(shown.minute - minute).toBeLessThanOrEqual(60);
          if (isLeftOut) expect(zone).not.toBe("UTC");
        },
      ),
      { numRuns: 300 },
    );
  },
);

describe("what holds a route back", () => {
  const { muteTimes } = routesOf(`
mute_times:
  nights: {times: ['22:00-06:00']}
  weekends: {weekdays: [saturday, sunday]}
route: {channels: [], mute_times: [nights, weekends]}`);
  const hold = (route: { muteTimes?: string[]; activeTimes?: string[] }, instant: string) =>
    holdOf({ muteTimes: [], activeTimes: [], ...route }, muteTimes, at(instant));

  test("mute times that follow on each other end with the last one", () => {
    const both = { muteTimes: ["nights", "weekends"] };
    expect(hold(both, "2026-11-20T23:00:00Z")).toEqual({
      by: "mute_time/nights",
      until: at("2026-11-23T06:00:00Z"),
    });
    expect(hold(both, "2026-11-21T12:00:00Z")?.by).toBe("mute_time/weekends");
    expect(hold(both, "2026-11-20T12:00:00Z")).toBeUndefined();
  });

  test("outside of its active times a route waits for the next one", () => {
    const active = { activeTimes: ["weekends"] };
    expect(hold(active, "2026-11-20T12:00:00Z")).toEqual({
      by: "active_time/weekends",
      until: at("2026-11-21T00:00:00Z"),
    });
    expect(hold(active, "2026-11-21T12:00:00Z")).toBeUndefined();
  });
});

describe("an end that was found before", { timeout: 60_000 }, () => {
  const text = `
mute_times:
  nights: {times: ['22:00-06:00'], location: Europe/Berlin}
  weekends: {weekdays: [saturday, sunday]}
  ever: {months: ['january:december']}
route: {channels: [], mute_times: [nights, weekends], routes: [{match: 'rule:ever', mute_times: [ever]}]}`;
  const known = routesOf(text);

  test("is the one that is found anew, whatever was asked before", () => {
    const instants = fc.integer({ min: at("2026-01-01T00:00:00Z"), max: at("2026-03-01T00:00:00Z") });
    fc.assert(
      fc.property(fc.constantFrom(known.root, ...known.root.routes), instants, (route, now) => {
        const anew = new Map(known.muteTimes);
        expect(holdOf(route, known.muteTimes, now)).toEqual(holdOf(route, anew, now));
      }),
      { numRuns: 60 },
    );
  });

  test("is not looked for again: a storm asks for it once for each alert", () => {
    let asked = 0;
    const counted = new Map(known.muteTimes);
    counted.get = (name) => {
      asked += 1;
      return known.muteTimes.get(name);
    };
    const [ever] = known.root.routes;
    if (!ever) throw new Error("no route");
    const start = at("2026-11-21T12:00:00Z");
    expect(holdOf(ever, counted, start)).toEqual({ by: "mute_time/ever", until: undefined });
    expect(asked).toBeGreaterThan(400);
    asked = 0;
    for (let second = 0; second < 100; second += 1) holdOf(ever, counted, start + second * 1000);
    expect(asked).toBe(100);
  });
});

describe("a digest", () => {
  const digest = { at: 480, location: "Europe/Berlin", weekdays: [1, 3] };
  test.each([
    ["2026-11-21T12:00:00Z", "2026-11-23T07:00:00Z"],
    ["2026-11-23T06:59:59Z", "2026-11-23T07:00:00Z"],
    ["2026-11-23T07:00:00Z", "2026-11-25T07:00:00Z"],
    ["2027-03-27T12:00:00Z", "2027-03-29T06:00:00Z"],
  ])("of what came at %s is sent at %s", (from, expected) => {
    expect(new Date(digestTime(digest, at(from))).toISOString()).toBe(new Date(expected).toISOString());
  });
  test("is always later", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 0, max: 4e12 }), (minute, from) => {
        const time = digestTime({ at: minute, location: "America/New_York", weekdays: [] }, from);
        expect(time).toBeGreaterThan(from);
        expect(time - from).toBeLessThanOrEqual(26 * 3_600_000);
      }),
    );
  });
});

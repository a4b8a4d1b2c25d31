import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { severities, statuses } from "../alert-view.ts";
import { type Decision, decide, type GroupMessage, type GroupState, type Member } from "./groups.ts";
import type { Route } from "./routes.ts";
import { routesOf } from "./routing.testing.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.parse("2026-11-21T12:00:00Z");

const routeOf = (yaml: string): Route => routesOf(`route: {channels: [chat], ${yaml}}`).root;
const member = (change: Partial<Member> = {}): Member => ({
  id: "a",
  kind: "raised",
  addedAt: start,
  told: false,
  held: false,
  escalated: 0,
  status: "open",
  severity: "HIGH",
  ...change,
});
const brief = ({ kind, channels, members, mutedBy }: GroupMessage) =>
  [kind, channels.join(), members.map(({ id }) => id).join(), mutedBy].filter(Boolean).join(" ");

/** Looks at a group whenever it is due, until an instant; answers what it said. */
function follow(
  route: Route,
  from: GroupState,
  { until, change = (members) => members }: { readonly until: number; readonly change?: Changing },
) {
  const said: string[] = [];
  let state: GroupState = from;
  let now = start;
  while (now <= until) {
    const decision: Decision = decide(route, { ...state, members: change(state.members, now) }, { now });
    said.push(...decision.messages.map((message) => `${(now - start) / minute}m ${brief(message)}`));
    state = decision;
    if (decision.dueAt === undefined) return { said, closed: true };
    if (decision.dueAt <= now) throw new Error("due in the past");
    now = decision.dueAt;
  }
  return { said, closed: false };
}

type Changing = (members: readonly Member[], now: number) => readonly Member[];

describe("a group", () => {
  test("waits for others, then for its interval, and is closed", () => {
    const route = routeOf("group_by: [host], group_wait: 1m, group_interval: 5m");
    const added = [member({ id: "b", addedAt: start + 3 * minute })];
    const later = (members: readonly Member[], now: number) =>
      now === start + 6 * minute ? [...members, ...added] : members;
    expect(follow(route, { members: [member()] }, { until: start + hour, change: later })).toEqual({
      said: ["1m raised chat a", "6m raised chat b"],
      closed: true,
    });
  });

  test("tells of more no sooner than its interval allows", () => {
    const route = routeOf("group_by: [host], group_wait: 0s, group_interval: 5m");
    const state = { members: [member()], notBefore: start + 5 * minute };
    expect(decide(route, state, { now: start })).toMatchObject({ messages: [], dueAt: start + 5 * minute });
  });

  test("a digest that is due in a mute time waits for its end; one that is due later does not care", () => {
    const route = routeOf("digest: {every: 2h}");
    const until = (minutes: number) => ({ by: "mute_time/x", until: start + minutes * minute });
    const waiting = decide(route, { members: [member()] }, { now: start, hold: until(60) });
    expect(waiting).toMatchObject({ messages: [], dueAt: start + hour });
    const due = decide(route, waiting, { now: start + 2 * hour, hold: until(180) });
    expect(due.messages.map(brief)).toEqual(["digest chat a mute_time/x"]);
    expect(due.dueAt).toBe(start + 3 * hour);
    expect(decide(route, due, { now: start + 3 * hour }).messages.map(brief)).toEqual(["digest chat a"]);
  });

  test("tells what is reopened at once, whatever it waits for", () => {
    const route = routeOf("group_by: [host], group_wait: 1m, group_interval: 5m");
    const state = { members: [member({ kind: "reopened" })], notBefore: start + 5 * minute };
    expect(decide(route, state, { now: start }).messages.map(brief)).toEqual(["reopened chat a"]);
  });

  test("says for each mute what it muted, and what nothing muted", () => {
    const members = [
      member({ id: "a" }),
      member({ id: "b", mutedBy: "silence/1" }),
      member({ id: "c", snoozedUntil: start + hour }),
      member({ id: "d", status: "resolved" }),
      member({ id: "e", severity: "CRITICAL" }),
      member({ id: "f", status: "suppressed" }),
    ];
    expect(
      decide(routeOf("group_by: [], group_wait: 0s"), { members }, { now: start }).messages.map(brief),
    ).toEqual([
      "raised chat e,a",
      "raised chat d resolved",
      "raised chat b silence/1",
      "raised chat c snooze",
    ]);
  });

  test("repeats until it is resolved, escalates while it is open, and a snooze puts both off", () => {
    const route = routeOf(
      "repeat_interval: 1h, escalate: [{after: 10m, channels: [pager]}, {after: 30m, channels: [pager, console]}]",
    );
    expect(follow(route, { members: [member()] }, { until: start + 130 * minute }).said).toEqual([
      "0m raised chat a",
      "10m escalated pager a",
      "30m escalated pager,console a",
      "60m repeated chat a",
      "120m repeated chat a",
    ]);
    const acknowledged = (members: readonly Member[], now: number) =>
      members.map((one) => ({
        ...one,
        status: now > start + 10 * minute ? ("acknowledged" as const) : one.status,
      }));
    expect(
      follow(route, { members: [member()] }, { until: start + 130 * minute, change: acknowledged }).said,
    ).toEqual(["0m raised chat a", "10m escalated pager a", "60m repeated chat a", "120m repeated chat a"]);
    const snoozed = (members: readonly Member[], now: number) =>
      members.map((one) => (now > start ? { ...one, snoozedUntil: start + 90 * minute } : one));
    expect(
      follow(route, { members: [member()] }, { until: start + 100 * minute, change: snoozed }).said,
    ).toEqual([
      "0m raised chat a",
      "90m repeated chat a",
      "90m escalated pager a",
      "90m escalated pager,console a",
    ]);
  });

  test("holds everything back in a mute time, on record once, and speaks when it ends", () => {
    const route = routeOf("escalate: [{after: 10m, channels: [pager]}]");
    const hold = { by: "mute_time/nights", until: start + hour };
    const held = decide(route, { members: [member()] }, { now: start, hold });
    expect(held.messages.map(brief)).toEqual(["raised chat a mute_time/nights"]);
    expect(held.dueAt).toBe(hold.until);
    expect(decide(route, held, { now: start + 30 * minute, hold }).messages).toEqual([]);
    expect(decide(route, held, { now: start + hour }).messages.map(brief)).toEqual([
      "raised chat a",
      "escalated pager a",
    ]);
  });

  test("tells nobody of what nobody wants to hear", () => {
    const decision = decide(routesOf("route: {channels: []}").root, { members: [member()] }, { now: start });
    expect(decision).toMatchObject({ messages: [], members: [], dueAt: undefined });
  });
});

describe("whatever a group is like", { timeout: 60_000 }, () => {
  const routes = [
    "group_by: [host], group_wait: 1m, group_interval: 5m",
    "group_by: [], repeat_interval: 1h, send_resolved: true",
    "escalate: [{after: 10m, channels: [pager]}, {after: 30m, channels: [pager]}], repeat_interval: 1h",
    "digest: {at: '08:00', location: Europe/Berlin, days: [monday]}",
    "digest: {every: 24h}, escalate: [{after: 10m, channels: [pager]}]",
    "group_by: [host], group_wait: 0s, mute_times: []",
  ].map(routeOf);
  const times = fc.integer({ min: -100, max: 0 }).map((minutes) => start + minutes * minute);
  const memberAt = (index: number): fc.Arbitrary<Member> =>
    fc.record({
      id: fc.constant(`alert-${index}`),
      kind: fc.constantFrom("raised" as const, "reopened" as const),
      addedAt: times,
      told: fc.boolean(),
      held: fc.boolean(),
      escalated: fc.integer({ min: 0, max: 2 }),
      status: fc.constantFrom(...statuses),
      severity: fc.constantFrom(...severities),
      snoozedUntil: fc.option(
        fc.integer({ min: -60, max: 60 }).map((minutes) => start + minutes * minute),
        { nil: undefined },
      ),
      mutedBy: fc.option(fc.constantFrom("silence/1", "inhibition/x"), { nil: undefined }),
    });
  const states: fc.Arbitrary<GroupState> = fc.record({
    members: fc
      .integer({ min: 0, max: 6 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => memberAt(index)))),
    notBefore: fc.option(times, { nil: undefined }),
    lastToldAt: fc.option(times, { nil: undefined }),
  });
  const route = fc.constantFrom(...routes);
  const hold = fc.option(
    fc.record({
      by: fc.constant("mute_time/x"),
      until: fc.option(fc.constant(start + hour), { nil: undefined }),
    }),
    { nil: undefined },
  );

  test("the next look is later than this one, or there is nothing left", () => {
    fc.assert(
      fc.property(route, states, hold, (route, state, hold) => {
        const decision = decide(route, state, { now: start, hold });
        if (decision.dueAt === undefined) expect(decision.members).toEqual([]);
        else expect(decision.dueAt).toBeGreaterThan(start);
      }),
      { numRuns: 500 },
    );
  });

  test("the order of its alerts makes no difference", () => {
    fc.assert(
      fc.property(
        fc.tuple(route, hold),
        states,
        fc.infiniteStream(fc.nat()),
        ([route, hold], state, random) => {
          const shuffled = state.members
            .map((one) => ({ one, at: random.next().value as number }))
            .toSorted((a, b) => a.at - b.at)
            .map(({ one }) => one);
          const decisions = [state.members, shuffled].map((members) =>
            decide(route, { ...state, members }, { now: start, hold }),
          );
          expect(decisions[1]).toEqual(decisions[0]);
        },
      ),
    );
  });

  test("a second look at the same instant says nothing", () => {
    fc.assert(
      fc.property(route, states, hold, (route, state, hold) => {
        const first = decide(route, state, { now: start, hold });
        const second = decide(route, first, { now: start, hold });
        expect(second.messages).toEqual([]);
        expect(second.dueAt).toBe(first.dueAt);
      }),
      { numRuns: 300 },
    );
  });

  test("every alert that people were not told of is told, or it is on record why not", () => {
    fc.assert(
      fc.property(route, states, (route, state) => {
        const open = state.members.filter(({ told, status }) => !told && status !== "suppressed");
        const told = new Set<string>();
        let current: GroupState = state;
        for (let now = start, looks = 0; looks < 50 && open.some(({ id }) => !told.has(id)); looks += 1) {
          const decision = decide(route, current, { now });
          for (const { kind, members } of decision.messages) {
            if (kind !== "escalated") for (const { id } of members) told.add(id);
          }
          current = decision;
          now = decision.dueAt ?? now + 1;
        }
        expect(open.filter(({ id }) => !told.has(id))).toEqual([]);
      }),
    );
  });
});

import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";

import type { Event } from "../../events/event.ts";
import type { Ledger } from "./ledger.ts";

/** A ledger under test; it may hold other events already. */
export interface LedgerUnderTest extends AsyncDisposable {
  readonly ledger: Ledger;
  /** The same ledger as another replica sees it. */
  readonly replica: Ledger;
}

/** An event nobody used before. */
export function someEvent(changes: Partial<Event> = {}): Event {
  return {
    specversion: "1.0",
    id: randomUUID(),
    source: "/test/ledger",
    type: "io.auditflow.audit.recorded.v1",
    time: "2026-11-20T10:00:00.250Z",
    datacontenttype: "application/json",
    extensions: {},
    data: { event_type: "user_login" },
    ...changes,
  };
}

/** Beyond every wait the back-off may have imposed by then. */
export const anyAge = { olderThanMs: -2 * 60 * 60_000, limit: 1000 };

/** The part of the conformance suite about what waits, what is read back and who holds a lock. */
export function overdueConformance(opened: () => LedgerUnderTest): void {
  let ledger: Ledger;
  beforeAll(() => {
    ledger = opened().ledger;
  });

  const pendingIds = async (olderThanMs = anyAge.olderThanMs) =>
    (await ledger.unevaluated({ ...anyAge, olderThanMs })).map(({ id }) => id);
  const unstoredIds = async (olderThanMs = anyAge.olderThanMs) =>
    (await ledger.unstored({ ...anyAge, olderThanMs })).map(({ id }) => id);

  test("what is neither evaluated nor rejected is pending, oldest first and in pages", async () => {
    const events = [someEvent(), someEvent(), someEvent()];
    for (const event of events) await ledger.accept(event);
    expect((await pendingIds()).filter((id) => events.some((event) => event.id === id))).toEqual(
      events.map(({ id }) => id),
    );
    expect(await ledger.unevaluated({ ...anyAge, limit: 2 })).toHaveLength(2);
    await ledger.record({ event: events[0]!, ruleSet: "r", detections: [] });
    await ledger.markRejected(events[1]!, "no \u0000 sense");
    const ids = await pendingIds();
    expect(events.map(({ id }) => ids.includes(id))).toEqual([false, false, true]);
  });

  test("what is younger than asked for is not overdue", async () => {
    const event = someEvent();
    await ledger.accept(event);
    await ledger.record({ event, ruleSet: "r", detections: [] });
    const young = someEvent();
    await ledger.accept(young);
    expect(await pendingIds(60_000)).not.toContain(young.id);
    expect(await pendingIds()).toContain(young.id);
  });

  test("a detection is overdue until it is marked as stored", async () => {
    const event = someEvent();
    const detections = [someEvent(), someEvent()];
    await ledger.accept(event);
    await ledger.record({ event, ruleSet: "r", detections });
    expect(await unstoredIds()).toEqual(expect.arrayContaining(detections.map(({ id }) => id)));
    expect(await unstoredIds(60_000)).not.toContain(detections[0]!.id);
    await ledger.markStored([detections[0]!, someEvent()]);
    await ledger.markStored([detections[0]!]);
    const left = await unstoredIds();
    expect(detections.map(({ id }) => left.includes(id))).toEqual([false, true]);
  });

  test("what was emitted again is left out for a while and stays pending", async () => {
    const event = someEvent();
    const detection = someEvent();
    await ledger.accept(event);
    await ledger.accept(detection);
    await ledger.record({ event: detection, ruleSet: "r", detections: [detection] });
    const before = await ledger.counts();
    await ledger.markEmitted({ events: [event], detections: [detection] });
    expect(await pendingIds(0)).not.toContain(event.id);
    expect(await unstoredIds(0)).not.toContain(detection.id);
    // A minute the first time, two the second.
    expect(await pendingIds(-61_000)).toContain(event.id);
    expect(await unstoredIds(-61_000)).toContain(detection.id);
    await ledger.markEmitted({ events: [event], detections: [detection] });
    expect(await pendingIds(-61_000)).not.toContain(event.id);
    expect(await pendingIds(-121_000)).toContain(event.id);
    for (let times = 0; times < 40; times++) await ledger.markEmitted({ events: [event] });
    expect(await pendingIds(-61 * 60_000)).toContain(event.id);
    expect(await ledger.counts()).toEqual(before);
  });

  test("an evaluated event cannot be rejected, a rejected one can be evaluated", async () => {
    const [evaluated, rejected] = [someEvent(), someEvent()];
    await ledger.accept(evaluated);
    await ledger.accept(rejected);
    await ledger.record({ event: evaluated, ruleSet: "r", detections: [] });
    const before = await ledger.counts();
    await ledger.markRejected(evaluated, "too late");
    await ledger.markRejected(someEvent(), "unknown");
    expect(await ledger.counts()).toEqual(before);
    await ledger.markRejected(rejected, "refused");
    await ledger.markRejected(rejected, "refused again");
    expect((await ledger.counts()).rejected).toBe(before.rejected + 1);
    await ledger.record({ event: rejected, ruleSet: "r", detections: [] });
    expect(await ledger.counts()).toMatchObject({
      rejected: before.rejected,
      evaluated: before.evaluated + 1,
    });
  });

  test("accepted = evaluated + rejected + pending, whatever happened", async () => {
    const events = Array.from({ length: 30 }, () => someEvent());
    await Promise.all(
      events.map(async (event, index) => {
        await ledger.accept(event);
        if (index % 3 === 0) await ledger.record({ event, ruleSet: "r", detections: [] });
        if (index % 3 === 1) await opened().replica.markRejected(event, "no");
      }),
    );
    const { accepted, evaluated, rejected, pending } = await ledger.counts();
    expect(accepted).toBe(evaluated + rejected + pending);
    expect(accepted).toBeGreaterThanOrEqual(30);
  });

  test("a replay gives a range of event time in order, of the wanted types, beyond one page", async () => {
    const type = `io.test.${randomUUID()}`;
    const base = Date.UTC(2025, 0, 1);
    // Three events of each moment, so that pages end inside a moment.
    const events = Array.from({ length: 450 }, (_, index) =>
      someEvent({ type, time: new Date(base + Math.floor(index / 3)).toISOString() }),
    );
    await Promise.all(events.toReversed().map((event) => ledger.accept(event)));
    await ledger.accept(someEvent({ time: new Date(base + 5).toISOString() }));
    const replayed: Event[] = [];
    const times: number[] = [];
    for await (const { event, time } of ledger.replay({ from: base + 1, to: base + 149, types: [type] })) {
      replayed.push(event);
      times.push(time);
    }
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(replayed.map(({ id }) => id))).toEqual(new Set(events.slice(3, 447).map(({ id }) => id)));
    expect(replayed).toHaveLength(444);
  });

  test("a replay of everything has no bounds in time", async () => {
    const event = someEvent({ time: "0000-01-01T00:00:00Z" });
    await ledger.accept(event);
    const range = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    const ids: string[] = [];
    for await (const { event } of ledger.replay(range)) ids.push(event.id);
    expect(ids).toContain(event.id);
  });

  test("a named lock has one holder at a time", async () => {
    const name = randomUUID();
    const inside = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<void>();
    const holder = ledger.exclusive(name, async () => {
      inside.resolve();
      await leave.promise;
      return "held";
    });
    await inside.promise;
    expect(await opened().replica.exclusive(name, async () => "second")).toBeUndefined();
    expect(await opened().replica.exclusive(`${name} other`, async () => "other")).toBe("other");
    leave.resolve();
    expect(await holder).toBe("held");
    await expect.poll(() => opened().replica.exclusive(name, async () => "next")).toBe("next");
  });

  test("a lock is released when the work fails", async () => {
    const name = randomUUID();
    await expect(ledger.exclusive(name, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    await expect.poll(() => ledger.exclusive(name, async () => "free")).toBe("free");
  });

  test("making room for the time ahead can be repeated", async () => {
    await ledger.maintain();
    await ledger.maintain();
    expect(await ledger.accept(someEvent())).toMatchObject({ outcome: "stored" });
  });
}

import { describe, expect, test } from "vitest";

import type { Event } from "../../events/event.ts";
import { SinkError } from "../../events/sink.ts";
import { UnavailableError } from "../failure.ts";
import { createMetrics } from "../metrics.ts";
import { createMemoryLedger } from "./memory.ts";
import { someEvent } from "./overdue.conformance.ts";
import { createReconciler } from "./reconciler.ts";

const minute = 60_000;

/** A ledger whose clock is turned by hand, and a sink that takes what it is told to take. */
function setUp({
  limit = 100,
  refuse = () => false,
}: { limit?: number; refuse?: (event: Event) => boolean } = {}) {
  const clock = { ms: Date.parse("2026-11-21T12:00:00Z") };
  const ledger = createMemoryLedger({ now: () => clock.ms });
  const emitted: string[] = [];
  const metrics = createMetrics("test");
  const sink = async (events: readonly Event[]) => {
    if (events.some(refuse)) throw new Error("refused");
    emitted.push(...events.map(({ id }) => id));
  };
  const reconcile = createReconciler({ ledger, sink, olderThanMs: 2 * minute, limit, metrics });
  return { clock, ledger, emitted, metrics, sink, reconcile };
}

describe("the reconciler", () => {
  test("emits again, as they were, what was not evaluated and what was not stored", async () => {
    const { clock, ledger, emitted, reconcile } = setUp();
    const [lost, evaluated, rejected, detection, stored] = Array.from({ length: 5 }, () => someEvent());
    for (const event of [lost!, evaluated!, rejected!]) await ledger.accept(event);
    await ledger.record({ event: evaluated!, ruleSet: "r", detections: [detection!, stored!] });
    await ledger.markRejected(rejected!, "no");
    await ledger.markStored([stored!]);
    expect(await reconcile()).toEqual({ events: 0, detections: 0 });
    clock.ms += 3 * minute;
    expect(await reconcile()).toEqual({ events: 1, detections: 1 });
    expect(emitted).toEqual([lost!.id, detection!.id]);
  });

  test("leaves what it emitted alone for a while, and for longer each time", async () => {
    const { clock, ledger, emitted, reconcile } = setUp();
    await ledger.accept(someEvent());
    const minutes: number[] = [];
    for (let passed = 0; passed < 12 * 60; passed++) {
      clock.ms += minute;
      const before = emitted.length;
      await reconcile();
      if (emitted.length > before) minutes.push(passed + 1);
    }
    const waits = minutes.slice(1).map((at, index) => at - minutes[index]!);
    // Two minutes of grace come on top of each wait.
    expect(waits.slice(0, 8)).toEqual([3, 4, 6, 10, 18, 34, 62, 62]);
    expect((await ledger.counts()).pending).toBe(1);
  });

  test("emits also when no room can be made for the time ahead, and tells of it", async () => {
    const { clock, ledger, emitted, sink } = setUp();
    const maintain = () => Promise.reject(new UnavailableError("postgres", "a partition takes too long"));
    const deps = { ledger: { ...ledger, maintain }, sink, olderThanMs: 2 * minute, limit: 100 };
    await ledger.accept(someEvent());
    clock.ms += 3 * minute;
    await expect(createReconciler(deps)()).rejects.toThrow("a partition takes too long");
    expect(emitted).toHaveLength(1);
  });

  test("works through more than one page, each event once", async () => {
    const { clock, ledger, emitted, reconcile } = setUp({ limit: 10 });
    const events = Array.from({ length: 35 }, () => someEvent());
    for (const event of events) await ledger.accept(event);
    clock.ms += 3 * minute;
    expect(await reconcile()).toEqual({ events: 35, detections: 0 });
    expect(emitted).toEqual(events.map(({ id }) => id));
  });

  test("an event that the sink refuses stands in nobody's way", async () => {
    const events = Array.from({ length: 6 }, () => someEvent());
    const { clock, ledger, emitted, reconcile } = setUp({
      limit: 3,
      refuse: ({ id }) => id === events[0]!.id,
    });
    for (const event of events) await ledger.accept(event);
    clock.ms += 3 * minute;
    expect(await reconcile()).toEqual({ events: 5, detections: 0 });
    expect(emitted).toEqual(events.slice(1).map(({ id }) => id));
  });

  test("a lone event that the sink will never take is put off, and detections have their turn", async () => {
    const [hopeless, detection] = [someEvent(), someEvent()];
    const clock = { ms: Date.parse("2026-11-21T12:00:00Z") };
    const ledger = createMemoryLedger({ now: () => clock.ms });
    const asked: string[] = [];
    const sink = async (events: readonly Event[]) => {
      asked.push(...events.map(({ id }) => id));
      if (events.some(({ id }) => id === hopeless.id))
        throw new SinkError("400", { status: 400, attempts: 1 });
    };
    const reconcile = createReconciler({ ledger, sink, olderThanMs: 2 * minute, limit: 10 });
    const evaluated = someEvent();
    for (const event of [hopeless, evaluated]) await ledger.accept(event);
    await ledger.record({ event: evaluated, ruleSet: "r", detections: [detection] });
    clock.ms += 3 * minute;
    expect(await reconcile()).toEqual({ events: 0, detections: 1 });
    const before = asked.length;
    await reconcile();
    expect(asked.slice(before)).toEqual([]);
  });

  test("when the sink is away for events, detections have their turn all the same", async () => {
    const [lost, evaluated, detection] = [someEvent(), someEvent(), someEvent()];
    const { clock, ledger, emitted, reconcile } = setUp({ refuse: ({ id }) => id === lost.id });
    for (const event of [lost, evaluated]) await ledger.accept(event);
    await ledger.record({ event: evaluated, ruleSet: "r", detections: [detection] });
    clock.ms += 3 * minute;
    await expect(reconcile()).rejects.toThrow("refused");
    expect(emitted).toEqual([detection.id]);
  });

  test("when the sink takes nothing it fails and puts nothing off", async () => {
    let isAway = true;
    const { clock, ledger, reconcile } = setUp({ refuse: () => isAway });
    await ledger.accept(someEvent());
    await ledger.accept(someEvent());
    clock.ms += 3 * minute;
    await expect(reconcile()).rejects.toThrow("refused");
    isAway = false;
    expect(await reconcile()).toEqual({ events: 2, detections: 0 });
  });

  test("two at once do the work once", async () => {
    const { clock, ledger, emitted, reconcile } = setUp();
    await ledger.accept(someEvent());
    clock.ms += 3 * minute;
    const both = await Promise.all([reconcile(), reconcile()]);
    expect(both.map(({ events }) => events)).toEqual([1, 0]);
    expect(emitted).toHaveLength(1);
  });

  test("counts what it did and how the ledger stands", async () => {
    const { clock, ledger, metrics, reconcile } = setUp();
    const event = someEvent();
    await ledger.accept(event);
    await ledger.accept(someEvent());
    await ledger.record({ event, ruleSet: "r", detections: [someEvent()] });
    clock.ms += 3 * minute;
    await reconcile();
    const text = await metrics.registry.metrics();
    for (const line of [
      /auditflow_reconciled_total{kind="event".*} 1/,
      /auditflow_reconciled_total{kind="detection".*} 1/,
      /auditflow_ledger_events{state="accepted".*} 2/,
      /auditflow_ledger_events{state="evaluated".*} 1/,
      /auditflow_ledger_events{state="pending".*} 1/,
    ]) {
      expect(text).toMatch(line);
    }
  });
});

import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";

import type { DueTimer, Ledger, TimerRequest } from "./ledger.ts";
import { type LedgerUnderTest, anyAge, someEvent } from "./overdue.conformance.ts";

const long = 3_600_000;

/** The part of the conformance suite about what is judged once its time has passed. */
export function timersConformance(opened: () => LedgerUnderTest): void {
  let ledger: Ledger;
  beforeAll(() => {
    ledger = opened().ledger;
  });

  /** A timer nobody used before, that is due when it is armed. */
  const someTimer = (changes: Partial<TimerRequest> = {}): TimerRequest => ({
    series: randomUUID(),
    group: "4:root",
    bucket: 7,
    endsAt: Date.now() - long,
    latenessMs: 0,
    ...changes,
  });

  /** Records an event that asks for the timers. */
  async function arm(...timers: readonly TimerRequest[]): Promise<void> {
    const event = someEvent();
    await ledger.accept(event);
    await ledger.record({ event, ruleSet: "r", detections: [], timers });
  }

  /** Due timers of one series; those of other tests are claimed along, for no time. */
  async function dueOf(series: string, leaseMs = 0, from: Ledger = ledger): Promise<readonly DueTimer[]> {
    const due = await from.dueTimers({ limit: 10_000, leaseMs });
    return due.filter((timer) => timer.series === series);
  }

  test("a timer is due once its time has passed by the ledger's clock", async () => {
    const past = someTimer();
    const late = { ...past, bucket: 8, latenessMs: long };
    const ahead = { ...past, bucket: 9, endsAt: Date.now() + long };
    await arm(past, late, ahead);
    const [due, ...others] = await dueOf(past.series);
    expect(others).toEqual([]);
    expect(due).toMatchObject({ series: past.series, group: past.group, bucket: 7 });
    expect(due?.overdueMs).toBeGreaterThanOrEqual(0);
    expect(Math.abs((due?.dueAt ?? 0) - Date.now())).toBeLessThan(10 * 60_000);
  });

  test("any group and bucket comes back as it was", async () => {
    const timer = someTimer();
    const groups = ["", "a\u0000b", "\ud800", `"{},\\'\n`, "ü".repeat(8000)];
    for (const bucket of [-3, 0, 2 ** 40]) await arm(...groups.map((group) => ({ ...timer, group, bucket })));
    const due = await dueOf(timer.series);
    expect(new Set(due.map(({ group, bucket }) => `${bucket} ${group}`))).toEqual(
      new Set([-3, 0, 2 ** 40].flatMap((bucket) => groups.map((group) => `${bucket} ${group}`))),
    );
  });

  test("the oldest come first, and a page holds no more than asked for", async () => {
    const timer = someTimer();
    for (const bucket of [3, 1, 2]) await arm({ ...timer, bucket });
    expect((await dueOf(timer.series)).map(({ bucket }) => bucket)).toEqual([3, 1, 2]);
    expect(await ledger.dueTimers({ limit: 2, leaseMs: 0 })).toHaveLength(2);
  });

  test("what was claimed and not settled holds up no other", async () => {
    await arm(someTimer(), someTimer());
    await ledger.dueTimers({ limit: 10_000, leaseMs: 0 });
    const fresh = someTimer();
    await arm(fresh);
    expect(await ledger.dueTimers({ limit: 1, leaseMs: 0 })).toMatchObject([{ series: fresh.series }]);
  });

  test("one that is claimed is nobody else's until the lease ends", async () => {
    const timer = someTimer();
    await arm(timer);
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, n) => dueOf(timer.series, long, n % 2 ? ledger : opened().replica)),
    );
    expect(claims.flat()).toHaveLength(1);
    const other = someTimer();
    await arm(other);
    expect(await dueOf(other.series, 50)).toHaveLength(1);
    await expect.poll(() => dueOf(other.series, 50), { interval: 75 }).toHaveLength(1);
    expect(await dueOf(timer.series)).toEqual([]);
  });

  test("many that ask for one timer arm it once, for the latest of their times", async () => {
    const timer = someTimer();
    const ahead = { ...timer, latenessMs: long };
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => (n === 20 ? arm(ahead, timer, ahead) : arm(timer, timer))),
    );
    await arm(timer);
    expect(await dueOf(timer.series)).toEqual([]);
  });

  test("what is only asked for when it is late has no effect before", async () => {
    const timer = someTimer();
    await arm(
      { ...timer, onlyWhenLate: true },
      { ...timer, bucket: 8, latenessMs: 2 * long, onlyWhenLate: true },
    );
    expect((await dueOf(timer.series)).map(({ bucket }) => bucket)).toEqual([7]);
    // Had the second one been armed, it would be due two hours from now.
    await arm({ ...timer, bucket: 8 });
    expect((await dueOf(timer.series)).map(({ bucket }) => bucket)).toEqual([7, 8]);
  });

  test("a verdict that came second arms nothing", async () => {
    const [event, timer] = [someEvent(), someTimer()];
    await ledger.accept(event);
    await ledger.record({ event, ruleSet: "r", detections: [] });
    await ledger.record({ event, ruleSet: "r", detections: [], timers: [timer] });
    expect(await dueOf(timer.series)).toEqual([]);
  });

  test("settling records what was raised and removes the timer, once", async () => {
    const timer = someTimer();
    await arm(timer);
    const [due] = await dueOf(timer.series);
    const detections = [someEvent({ subject: "b\u0000" }), someEvent({ subject: "a" })];
    const before = await ledger.counts();
    expect(await ledger.settle({ timer: due!, detections })).toEqual(detections);
    expect(await opened().replica.settle({ timer: due!, detections: [someEvent()] })).toBeUndefined();
    expect(await dueOf(timer.series)).toEqual([]);
    expect(await ledger.unstored(anyAge)).toEqual(expect.arrayContaining(detections));
    expect(await ledger.counts()).toEqual(before);
    await ledger.markStored(detections);
    expect((await ledger.unstored(anyAge)).map(({ id }) => id)).not.toContain(detections[0]!.id);
  });

  test("a timer that was armed again stays, and nothing is recorded", async () => {
    const timer = someTimer();
    await arm(timer);
    const [due] = await dueOf(timer.series);
    await arm(timer);
    const detection = someEvent();
    expect(await ledger.settle({ timer: due!, detections: [detection] })).toBeUndefined();
    expect((await ledger.unstored(anyAge)).map(({ id }) => id)).not.toContain(detection.id);
    expect(await dueOf(timer.series)).toHaveLength(1);
  });

  test("a bucket that is judged again records only what is new", async () => {
    const timer = someTimer();
    const [first, second] = [someEvent(), someEvent()];
    for (const [detections, fresh] of [
      [[first], [first]],
      [[first, second], [second]],
      [[second, first], []],
    ]) {
      await arm(timer);
      const [due] = await dueOf(timer.series);
      expect(await ledger.settle({ timer: due!, detections: detections! })).toEqual(fresh);
    }
  });
}

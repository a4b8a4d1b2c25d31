import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Ledger } from "./ledger.ts";
import { anyAge, type LedgerUnderTest, overdueConformance, someEvent } from "./overdue.conformance.ts";
import { timersConformance } from "./timers.conformance.ts";

/** Every Ledger must pass this, and callers may rely on nothing beyond it. */
export function ledgerConformance(name: string, open: () => Promise<LedgerUnderTest>): void {
  describe(`${name} ledger`, () => {
    let opened: LedgerUnderTest;
    let ledger: Ledger;

    beforeAll(async () => {
      opened = await open();
      ledger = opened.ledger;
    });
    afterAll(() => opened[Symbol.asyncDispose]());

    test("an event is stored once, with its own time", async () => {
      const event = someEvent();
      expect(await ledger.accept(event)).toEqual({ outcome: "stored", time: Date.parse(event.time!) });
      expect(await ledger.accept(event)).toEqual({ outcome: "duplicate", time: Date.parse(event.time!) });
    });

    test("the same id from another source is another event", async () => {
      const event = someEvent();
      await ledger.accept(event);
      expect(await ledger.accept({ ...event, source: "/test/other" })).toMatchObject({ outcome: "stored" });
    });

    test.for([
      ["data", { data: { event_type: "user_logout" } }],
      ["type", { type: "io.auditflow.other.v1" }],
      ["subject", { subject: "somebody else" }],
    ] as const)("the same key with another %s is a conflict and changes nothing", async ([, change]) => {
      const event = someEvent();
      await ledger.accept(event);
      expect(await ledger.accept({ ...event, ...change })).toEqual({ outcome: "conflict" });
      expect(await ledger.accept(event)).toMatchObject({ outcome: "duplicate" });
    });

    test.for([
      ["time", { time: "2026-11-20T10:00:09.000Z" }],
      ["extensions", { extensions: { traceparent: "00-1-1-00" } }],
      ["order of members", { data: { b: 2, a: { d: 4, c: 3 } } }],
    ] as const)("a delivery that differs in its %s is the same event", async ([, change]) => {
      const event = someEvent({ data: { a: { c: 3, d: 4 }, b: 2 } });
      await ledger.accept(event);
      const time = Date.parse("2026-11-20T10:00:00.250Z");
      expect(await ledger.accept({ ...event, ...change })).toEqual({ outcome: "duplicate", time });
    });

    test.for([
      ["has no time", undefined],
      ["has a time that is none", "tomorrow"],
      ["is from the far future", "2999-01-01T00:00:00Z"],
    ] as const)("an event that %s happens when it is first accepted", async ([, time]) => {
      const event = someEvent({ time });
      const first = await ledger.accept(event);
      expect(first.outcome).toBe("stored");
      const accepted = first.outcome === "conflict" ? Number.NaN : first.time;
      expect(Math.abs(accepted - Date.now())).toBeLessThan(10 * 60_000);
      expect(await ledger.accept({ ...event, time: "2026-01-01T00:00:00Z" })).toEqual({
        outcome: "duplicate",
        time: accepted,
      });
    });

    test.for([
      ["the first year", "0000-01-01T00:00:00.001Z"],
      ["before the epoch", "1969-12-31T23:59:59.999Z"],
      ["a misspelt time", "2026-11-20 10:00:00+00:00Z"],
    ] as const)("a time long ago is kept to the millisecond: %s", async ([, time]) => {
      const answer = await ledger.accept(someEvent({ time }));
      const expected = Date.parse(time.replace(" ", "T").replace("+00:00Z", "Z"));
      expect(answer).toEqual({ outcome: "stored", time: expected });
    });

    test.for([
      ["the character NUL", { data: { text: "a\u0000b", "\u0000": 1 } }],
      ["a lone surrogate", { data: { text: "\ud800", "\udfff": 1 } }],
      ["quotes, backslashes, braces and line ends", { data: { text: `"\\"{},'$1\\x00 NULL\r\n\t;--` } }],
      ["the largest and the smallest numbers", { data: [Number.MAX_VALUE, 5e-324, 2 ** 53, 0.1, 1e21] }],
      ["1 MiB of data", { data: { text: "ü".repeat(512 * 1024) } }],
      ["nested data", { data: JSON.parse(`${"[".repeat(64)}1${"]".repeat(64)}`) as unknown }],
      ["plain text", { data: "hello\u0000\n", datacontenttype: "text/plain" }],
      ["bytes", { data: Buffer.from([0, 1, 255, 92, 34]), datacontenttype: "application/octet-stream" }],
      ["no data", { data: undefined, datacontenttype: undefined }],
      ["data null", { data: null }],
      ["a member named __proto__", { data: JSON.parse('{"__proto__":{"a":1}}') as unknown }],
      [
        "every attribute",
        {
          subject: 'NULL "{}"',
          dataschema: "https://example.org/schema#1",
          extensions: { text: "NULL", number: -2147483648, yes: true, no: false, empty: "" },
        },
      ],
      ["a NUL in its id", { id: `${randomUUID()}\u0000`, subject: "\u0000\ud800" }],
    ] as const)("what is stored comes back as it was: %s", async ([, change]) => {
      const event = someEvent(change);
      await ledger.accept(event);
      const stored = (await ledger.unevaluated(anyAge)).find(({ id }) => id === event.id);
      expect(stored).toEqual(event);
      expect(JSON.stringify(stored?.data)).toBe(JSON.stringify(event.data));
    });

    test("an event that cannot be written as JSON fails alone", async () => {
      const circular: { self?: unknown } = {};
      circular.self = circular;
      const good = [someEvent(), someEvent()];
      const [first, bad, last] = await Promise.allSettled([
        ledger.accept(good[0]!),
        ledger.accept(someEvent({ data: circular })),
        ledger.accept(good[1]!),
      ]);
      expect([first.status, bad.status, last.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
    });

    test("racing deliveries of one event store it once", async () => {
      const event = someEvent();
      const before = await ledger.counts();
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) => (index % 2 ? ledger : opened.replica).accept(event)),
      );
      expect(answers.filter(({ outcome }) => outcome === "stored")).toHaveLength(1);
      expect(answers.filter(({ outcome }) => outcome === "duplicate")).toHaveLength(39);
      expect((await ledger.counts()).accepted).toBe(before.accepted + 1);
    });

    test("an evaluated event answers a repeat with what was detected", async () => {
      const event = someEvent();
      await ledger.accept(event);
      const detections = [someEvent({ subject: "b" }), someEvent({ subject: "a", data: { text: "\u0000" } })];
      expect(await ledger.record({ event, ruleSet: "r1", detections })).toEqual(detections);
      expect(await ledger.accept(event)).toEqual({
        outcome: "duplicate",
        time: Date.parse(event.time!),
        detections,
      });
    });

    test("an event in which nothing was detected is evaluated all the same", async () => {
      const event = someEvent();
      await ledger.accept(event);
      await ledger.record({ event, ruleSet: "r1", detections: [] });
      expect(await ledger.accept(event)).toMatchObject({ outcome: "duplicate", detections: [] });
      expect((await ledger.unevaluated(anyAge)).map(({ id }) => id)).not.toContain(event.id);
    });

    test("the first verdict stands, also among racing ones", async () => {
      const event = someEvent();
      await ledger.accept(event);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 ? ledger : opened.replica).record({
            event,
            ruleSet: `r${index}`,
            detections: Array.from({ length: index % 3 }, () => someEvent()),
          }),
        ),
      );
      const ids = answers.map((detections) => detections.map(({ id }) => id));
      expect(ids).toEqual(ids.map(() => ids[0]));
      const again = await ledger.record({ event, ruleSet: "late", detections: [someEvent()] });
      expect(again.map(({ id }) => id)).toEqual(ids[0]);
    });

    test("a verdict on an event that was never accepted is refused", async () => {
      await expect(ledger.record({ event: someEvent(), ruleSet: "r", detections: [] })).rejects.toThrow(
        "never accepted",
      );
    });

    overdueConformance(() => opened);
    timersConformance(() => opened);
  });
}

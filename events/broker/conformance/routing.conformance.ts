import { describe, expect, test } from "vitest";

import {
  event,
  openStack,
  send,
  settled,
  structured,
  type Adapter,
  type TriggerSketch,
} from "./stack.conformance.ts";

const binary = (attributes: Readonly<Record<string, string>>) => event(attributes);

/** Whether a filter admits an event: RabbitMQ's headers exchange, not the Knative specification. */
const filters: readonly (readonly [string, Readonly<Record<string, string>>, RequestInit, boolean])[] = [
  ["no attributes admit everything", {}, binary({}), true],
  ["the exact value", { type: "test.happened" }, binary({}), true],
  ["case differs", { type: "Test.Happened" }, binary({}), false],
  ["a prefix", { type: "test" }, binary({}), false],
  ["all of several", { type: "test.happened", source: "/test" }, binary({}), true],
  ["one of several", { type: "test.happened", source: "/other" }, binary({}), false],
  ["an absent attribute", { subject: "x" }, binary({}), false],
  ["an empty value, absent", { subject: "" }, binary({}), false],
  ["an empty value is no wildcard", { subject: "" }, binary({ subject: "x" }), false],
  ["an empty value is the empty string", { subject: "" }, binary({ subject: "" }), true],
  ["an extension that came as a header", { level: "5" }, binary({ level: "5" }), true],
  ["an integer that came in JSON", { level: "5" }, structured({ level: 5 }), false],
  ["a boolean that came in JSON", { flag: "true" }, structured({ flag: true }), false],
  ["text that came in JSON", { level: "5" }, structured({ level: "5" }), true],
  ["datacontenttype never", { datacontenttype: "application/json" }, binary({}), false],
  ["specversion", { specversion: "1.0" }, binary({}), true],
  [
    "time as it was normalised",
    { time: "2026-01-01T00:00:00Z" },
    binary({ time: "2026-01-01T01:00:00+01:00" }),
    true,
  ],
  ["dataschema", { dataschema: "urn:x" }, binary({ dataschema: "urn:x" }), true],
];

const a = { type: "type.a" };
const b = { type: "type.b" };

/** Triggers, and who receives how many of one `type.a` event (the routing matrix of Knative's own suite). */
const matrix: readonly (readonly [string, readonly TriggerSketch[], Readonly<Record<string, number>>])[] = [
  ["no filter", [{ name: "t1" }], { one: 1 }],
  ["a filter that does not match", [{ name: "t1", filter: b }], { one: 0 }],
  ["a filter that matches", [{ name: "t1", filter: a }], { one: 1 }],
  [
    "two that match",
    [
      { name: "t1", filter: a },
      { name: "t2", filter: a, subscriber: "two" },
    ],
    { one: 1, two: 1 },
  ],
  [
    "one of two",
    [
      { name: "t1", filter: a },
      { name: "t2", filter: b, subscriber: "two" },
    ],
    { one: 1, two: 0 },
  ],
  ["two without filter", [{ name: "t1" }, { name: "t2", subscriber: "two" }], { one: 1, two: 1 }],
  ["two Triggers with one subscriber", [{ name: "t1" }, { name: "t2" }], { one: 2 }],
];

/** Which Triggers an event reaches (knative.md §1.1, §7.1). */
export function routingConformance(adapter: () => Adapter): void {
  describe("routing", () => {
    test("matches as a headers exchange does", async () => {
      await using stack = new AsyncDisposableStack();
      // One Trigger per row would see the events of all rows, so each row has a stack of its own.
      const answers = await Promise.all(
        filters.map(async ([name, filter, request]) => {
          const opened = await openStack(adapter(), { triggers: [{ name: "t", filter }], idle: true }, stack);
          await send(opened, request);
          return [name, opened.published[0]] as const;
        }),
      );
      expect(answers).toEqual(
        filters.map(([name, , , admitted]) => [name, admitted ? "stored" : "unroutable"]),
      );
    });

    test.for(matrix)("%s", async ([, triggers, expected]) => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), { triggers }, stack);
      await send(opened, event({ type: "type.a" }));
      const total = Object.values(expected).reduce((sum, count) => sum + count, 0);
      await settled(() => opened.reports, total);
      const received = Object.keys(expected).map((name) => [name, opened.received(name).length]);
      expect(Object.fromEntries(received)).toEqual(expected);
    });

    test("a reply goes on to the Trigger that wants it", async () => {
      await using stack = new AsyncDisposableStack();
      const headers = { "ce-specversion": "1.0", "ce-id": "2", "ce-source": "/one", "ce-type": "type.b" };
      const opened = await openStack(
        adapter(),
        {
          triggers: [
            { name: "t1", filter: a },
            { name: "t2", filter: b, subscriber: "two" },
          ],
          answers: { one: () => ({ status: 200, headers }) },
        },
        stack,
      );
      await send(opened, event({ type: "type.a" }));
      const [reply] = await settled(() => opened.received("two"), 1);
      expect(reply?.headers).toMatchObject({ "ce-id": "2", "ce-type": "type.b" });
      expect(opened.received("one")).toHaveLength(1);
    });

    test("an empty filter value admits any present value under the strict profile only", async () => {
      await using stack = new AsyncDisposableStack();
      const triggers = [{ name: "t", filter: { subject: "" } }];
      const opened = await openStack(adapter(), { triggers, profile: "strict", idle: true }, stack);
      await send(opened, event({ subject: "x" }));
      await send(opened, event({}));
      expect(opened.published).toEqual(["stored", "unroutable"]);
    });
  });
}

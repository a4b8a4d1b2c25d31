import { describe, expect, test } from "vitest";

import {
  deadLetterSink,
  event,
  openStack,
  send,
  settled,
  uniquePrefix,
  type Adapter,
} from "./stack.conformance.ts";

const delivery = { retry: 2, backoffDelay: "PT0.1S", timeout: "PT10S", deadLetterSink };

/** A subscriber that answers when it is let to, and counts how many requests it had at once. */
function createGate() {
  let open = Promise.withResolvers<void>();
  let now = 0;
  let most = 0;
  return {
    most: () => most,
    now: () => now,
    release: () => {
      open.resolve();
      open = Promise.withResolvers<void>();
    },
    answer: async () => {
      now += 1;
      most = Math.max(most, now);
      await open.promise;
      now -= 1;
      return { status: 204 };
    },
  };
}

/** How many at a time, in which order, and what outlives whom (knative.md §1.4, §7.3). */
export function queueConformance(adapter: () => Adapter): void {
  describe("a queue", () => {
    test("keeps the order with one worker, also while an event is retried", async () => {
      await using stack = new AsyncDisposableStack();
      const answers = { one: (nth: number) => ({ status: nth < 2 ? 503 : 204 }) };
      const opened = await openStack(adapter(), { triggers: [{ name: "t", delivery }], answers }, stack);
      for (const id of ["a", "b", "c"]) await send(opened, event({ id }));
      await settled(() => opened.received("one"), 5);
      expect(opened.received("one").map(({ headers }) => headers["ce-id"])).toEqual([
        "a",
        "a",
        "a",
        "b",
        "c",
      ]);
    });

    test.for([
      [3, 10, 3],
      [400, 130, 100],
    ])("with parallelism %i delivers %i events at most %i at a time", async ([parallelism, events, most]) => {
      await using stack = new AsyncDisposableStack();
      const gate = createGate();
      const triggers = [{ name: "t", delivery, parallelism: parallelism ?? 1 }];
      const opened = await openStack(adapter(), { triggers, answers: { one: gate.answer } }, stack);
      await Promise.all(
        Array.from({ length: events ?? 0 }, (_, id) => send(opened, event({ id: String(id) }))),
      );
      await settled(() => opened.received("one"), most ?? 0);
      expect(gate.now()).toBe(most);
      while (opened.reports.length < (events ?? 0)) {
        gate.release();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(gate.most()).toBe(most);
    });

    test("that is drained finishes what is in flight and keeps the rest", async () => {
      await using stack = new AsyncDisposableStack();
      const gate = createGate();
      const options = {
        triggers: [{ name: "t", delivery }],
        answers: { one: gate.answer },
        prefix: uniquePrefix(),
      };
      const first = await openStack(adapter(), options, stack);
      for (const id of ["a", "b", "c"]) await send(first, event({ id }));
      await settled(() => first.received("one"), 1);
      const closed = first.close();
      gate.release();
      await closed;
      expect(first.reports.map(({ outcome, message }) => [message.headers["id"], outcome])).toEqual([
        ["a", "delivered"],
      ]);

      const second = await openStack(adapter(), { ...options, answers: {} }, stack);
      await settled(() => second.received("one"), 2);
      expect(second.received("one").map(({ headers }) => headers["ce-id"])).toEqual(["b", "c"]);
    });

    test("leaves an event that waits for its next attempt when it is drained", async () => {
      await using stack = new AsyncDisposableStack();
      const options = { triggers: [{ name: "t", delivery }], prefix: uniquePrefix() };
      const gate = createGate();
      const one = async () => {
        await gate.answer();
        return { status: 503 };
      };
      const first = await openStack(adapter(), { ...options, answers: { one } }, stack);
      await send(first, event({ id: "a" }));
      await settled(() => first.received("one"), 1);
      const closed = first.close();
      gate.release();
      await closed;
      expect(first.reports.map(({ outcome }) => outcome)).toEqual(["left"]);
      expect(first.received("dead")).toHaveLength(0);

      const second = await openStack(adapter(), options, stack);
      await settled(() => second.received("one"), 1);
    });

    test("gives out again what was in hand when the connection was lost", async () => {
      await using stack = new AsyncDisposableStack();
      const gate = createGate();
      const one = (nth: number) => (nth === 0 ? gate.answer() : { status: 204 });
      const opened = await openStack(
        adapter(),
        { triggers: [{ name: "t", delivery }], answers: { one } },
        stack,
      );
      await send(opened, event({ id: "a" }));
      await settled(() => opened.received("one"), 1);
      adapter().disconnect();
      await settled(() => opened.received("one"), 2);
      gate.release();
      await settled(() => opened.reports, 2);
      expect(opened.received("one").map(({ headers }) => headers["ce-id"])).toEqual(["a", "a"]);
      expect(opened.received("dead")).toHaveLength(0);
    });
  });
}

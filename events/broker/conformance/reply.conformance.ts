import { describe, expect, test } from "vitest";

import type { Broker } from "../broker.ts";
import {
  deadLetterSink,
  event,
  openStack,
  send,
  settled,
  type Adapter,
  type Answer,
} from "./stack.conformance.ts";

const delivery = { retry: 1, backoffDelay: "PT0.1S", deadLetterSink };
const reply = { "ce-specversion": "1.0", "ce-id": "r", "ce-source": "/one", "ce-type": "reply" };
const { "ce-id": _id, ...withoutId } = reply;
const { "ce-type": _type, ...withoutType } = reply;
const { "ce-source": _source, ...withoutSource } = reply;
const { "ce-specversion": _specversion, ...withoutVersion } = reply;
const json = (members: object) =>
  JSON.stringify({ specversion: "1.0", id: "r", source: "/one", type: "reply", ...members });

const triggers = [
  { name: "asks", filter: { type: "test.happened" }, delivery },
  { name: "hears", filter: { type: "reply" }, subscriber: "two", delivery },
];

/** An answer, and what becomes of the event it may carry. */
const answers: readonly (readonly [string, Answer, "reply" | "nothing" | "dead letter"])[] = [
  ["an empty 204", { status: 204 }, "nothing"],
  [
    "a body that is no event",
    { status: 200, headers: { "content-type": "text/plain" }, body: "ok" },
    "nothing",
  ],
  ["binary", { status: 200, headers: reply }, "reply"],
  ["binary in a 202", { status: 202, headers: reply }, "reply"],
  ["binary in a 400", { status: 400, headers: reply }, "reply"],
  [
    "structured",
    { status: 200, headers: { "content-type": "application/cloudevents+json" }, body: json({}) },
    "reply",
  ],
  [
    "structured with a charset",
    {
      status: 200,
      headers: { "content-type": "application/cloudevents+json; charset=utf-8" },
      body: json({}),
    },
    "reply",
  ],
  [
    "structured, invalid JSON",
    { status: 200, headers: { "content-type": "application/cloudevents+json" }, body: "{" },
    "nothing",
  ],
  [
    "a batch",
    { status: 200, headers: { "content-type": "application/cloudevents-batch+json" }, body: `[${json({})}]` },
    "nothing",
  ],
  ["without specversion", { status: 200, headers: withoutVersion }, "nothing"],
  ["an unknown specversion", { status: 200, headers: { ...reply, "ce-specversion": "2.0" } }, "nothing"],
  ["without id and time", { status: 200, headers: withoutId }, "reply"],
  ["without type", { status: 200, headers: withoutType }, "dead letter"],
  ["without source", { status: 200, headers: withoutSource }, "dead letter"],
];

/** What an answer's event becomes (knative.md §1.4). */
export function replyConformance(adapter: () => Adapter): void {
  describe("a reply", () => {
    test.for(answers)("%s", async ([, answer, expected]) => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), { triggers, answers: { one: () => answer } }, stack);
      await send(opened);
      await settled(() => opened.reports, 1);
      if (expected === "reply") await settled(() => opened.received("two"), 1);
      if (expected === "dead letter") await settled(() => opened.received("dead"), 1);
      expect(opened.received("one")).toHaveLength(1);
      expect(opened.received("two")).toHaveLength(expected === "reply" ? 1 : 0);
      expect(opened.received("dead").map(({ headers }) => headers["ce-knativeerrorcode"])).toEqual(
        expected === "dead letter" ? ["200"] : [],
      );
    });

    test("gets the id and time it lacks", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(
        adapter(),
        { triggers, answers: { one: () => ({ status: 200, headers: withoutId }) } },
        stack,
      );
      await send(opened);
      const [heard] = await settled(() => opened.received("two"), 1);
      expect(heard?.headers).toMatchObject({
        "ce-id": "id-given-by-the-broker",
        "ce-time": "2026-11-21T12:00:00Z",
      });
    });

    test("on a retriable error is not used", async () => {
      await using stack = new AsyncDisposableStack();
      const answers = {
        one: (nth: number) => ({ status: nth === 0 ? 500 : 204, headers: nth === 0 ? reply : {} }),
      };
      const opened = await openStack(adapter(), { triggers, answers }, stack);
      await send(opened);
      await settled(() => opened.received("one"), 2);
      await settled(() => opened.reports, 2);
      expect(opened.published).toEqual(["stored"]);
    });

    test("that cannot be stored sends the event to the dead letters with code 200", async () => {
      await using stack = new AsyncDisposableStack();
      const options = {
        triggers,
        answers: { one: () => ({ status: 200, headers: reply }) },
        wrap: refusing("r", 9),
      };
      const opened = await openStack(adapter(), options, stack);
      await send(opened);
      const [letter] = await settled(() => opened.received("dead"), 1);
      expect(letter?.headers).toMatchObject({ "ce-id": "1", "ce-knativeerrorcode": "200" });
      expect(opened.received("one")).toHaveLength(1);
      expect(opened.waits).toEqual([200]);
    });

    test("that can be stored after a while is stored, the subscriber not called again", async () => {
      await using stack = new AsyncDisposableStack();
      const options = {
        triggers,
        answers: { one: () => ({ status: 200, headers: reply }) },
        wrap: refusing("r", 1),
      };
      const opened = await openStack(adapter(), options, stack);
      await send(opened);
      await settled(() => opened.received("two"), 1);
      expect(opened.received("one")).toHaveLength(1);
    });

    test("that matches its own Trigger is reported and still delivered", async () => {
      await using stack = new AsyncDisposableStack();
      const own = { ...reply, "ce-type": "test.happened" };
      const answers = {
        one: (nth: number) => (nth < 3 ? { status: 200, headers: own } : { status: 204 }),
      };
      const opened = await openStack(adapter(), { triggers, answers }, stack);
      await send(opened);
      await settled(() => opened.received("one"), 4);
      expect(opened.loops).toEqual(["asks", "asks", "asks"]);
    });
  });

  describe("under the strict profile", () => {
    const strict = { triggers, profile: "strict" } as const;

    test("requests say they prefer a reply", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), strict, stack);
      await send(opened);
      const [received] = await settled(() => opened.received("one"), 1);
      expect(received?.headers["prefer"]).toBe("reply");
    });

    test("a refusal goes to the dead letters at once", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(
        adapter(),
        { ...strict, answers: { one: () => ({ status: 422 }) } },
        stack,
      );
      await send(opened, event());
      const [letter] = await settled(() => opened.received("dead"), 1);
      expect(letter?.headers["ce-knativeerrorcode"]).toBe("422");
      expect(opened.received("one")).toHaveLength(1);
    });

    test("an event in a 202 is no reply", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(
        adapter(),
        { ...strict, answers: { one: () => ({ status: 202, headers: reply }) } },
        stack,
      );
      await send(opened);
      await settled(() => opened.reports, 1);
      expect(opened.published).toEqual(["stored"]);
    });

    test("a reply that cannot be stored makes the delivery again", async () => {
      await using stack = new AsyncDisposableStack();
      const answers = { one: () => ({ status: 200, headers: reply }) };
      const opened = await openStack(adapter(), { ...strict, answers, wrap: refusing("r", 2) }, stack);
      await send(opened);
      await settled(() => opened.received("two"), 1);
      expect(opened.received("one")).toHaveLength(2);
      expect(opened.received("dead")).toHaveLength(0);
    });
  });
}

/** A broker that cannot store an event of this id so many times. */
function refusing(id: string, times: number): (broker: Broker) => Broker {
  let left = times;
  return (broker) => ({
    ...broker,
    publish: async (exchange, message) => {
      if (message.headers["id"] !== id || left === 0) return broker.publish(exchange, message);
      left -= 1;
      throw new Error("cannot be stored now");
    },
  });
}

import { describe, expect, test } from "vitest";

import type { Broker } from "../broker.ts";
import {
  deadLetterSink,
  event,
  openStack,
  send,
  settled,
  structured,
  type Adapter,
  type TriggerSketch,
} from "./stack.conformance.ts";

const full = {
  retry: 3,
  backoffPolicy: "exponential",
  backoffDelay: "PT0.1S",
  timeout: "PT5S",
  deadLetterSink,
};

/** A status and what is done: how many attempts, and whether the event then lies with the dead letters. */
const statuses: readonly (readonly [number, number, boolean])[] = [
  ...[200, 202, 204, 304, 400, 401, 403, 410, 413, 415, 422, 425].map(
    (status) => [status, 1, false] as const,
  ),
  ...[404, 408, 409, 429, 500, 502, 503, 504].map((status) => [status, 4, true] as const),
];

const failing = (times: number) => (nth: number) => ({ status: nth < times ? 500 : 204 });
const always500 = () => ({ status: 500 });

/** The delivery matrix of Knative's own suite: two Triggers on one event, one fails late, one for good. */
const matrix: readonly {
  readonly name: string;
  readonly broker?: object;
  readonly one: TriggerSketch;
  readonly two: TriggerSketch;
  readonly failures: readonly [number, number];
  readonly outcomes: readonly [string, string];
}[] = [
  {
    name: "no delivery anywhere: no retry, dropped",
    one: { name: "t1" },
    two: { name: "t2" },
    failures: [0, 1],
    outcomes: ["delivered", "dropped"],
  },
  {
    name: "the Broker's retries and dead letter sink",
    broker: { retry: 3, deadLetterSink },
    one: { name: "t1" },
    two: { name: "t2" },
    failures: [3, 4],
    outcomes: ["delivered", "dead-lettered"],
  },
  {
    name: "the Triggers' own retries, no dead letter sink",
    one: { name: "t1", delivery: { retry: 3 } },
    two: { name: "t2", delivery: { retry: 1 } },
    failures: [3, 2],
    outcomes: ["delivered", "dropped"],
  },
  {
    name: "the Trigger's retries, else the Broker's",
    broker: { retry: 1, deadLetterSink },
    one: { name: "t1", delivery: { retry: 3 } },
    two: { name: "t2" },
    failures: [3, 2],
    outcomes: ["delivered", "dead-lettered"],
  },
  {
    name: "dead letter sinks of both",
    broker: { retry: 1, deadLetterSink },
    one: { name: "t1", delivery: { retry: 3, deadLetterSink } },
    two: { name: "t2" },
    failures: [4, 2],
    outcomes: ["dead-lettered", "dead-lettered"],
  },
  {
    name: "a Trigger with any delivery loses the Broker's dead letter sink",
    broker: { retry: 1, deadLetterSink },
    one: { name: "t1", delivery: { retry: 0 } },
    two: { name: "t2" },
    failures: [1, 2],
    outcomes: ["dropped", "dead-lettered"],
  },
];

/** Requests, retries, dead letters (knative.md §1.2, §1.4, §7.1). */
export function deliveryConformance(adapter: () => Adapter): void {
  describe("delivery", () => {
    test("is a binary POST with every attribute as a header", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), { triggers: [{ name: "t" }] }, stack);
      const traceparent = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
      await send(
        opened,
        structured({
          n: 5,
          flag: true,
          subject: "Zoë",
          traceparent,
          data: "text",
          datacontenttype: "text/plain",
        }),
      );
      const [received] = await settled(() => opened.received("one"), 1);
      expect(received?.body).toBe("text");
      expect(received?.headers).toMatchObject({
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-n": "5",
        "ce-flag": "true",
        // raw UTF-8, which Node shows as latin-1
        "ce-subject": Buffer.from("Zoë").toString("latin1"),
        "content-type": "text/plain",
        traceparent,
      });
      expect(received?.headers).not.toHaveProperty("ce-traceparent");
      expect(received?.headers).not.toHaveProperty("prefer");
    });

    test("invents the time that is missing and no content type", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), { triggers: [{ name: "t" }] }, stack);
      await send(opened, structured({ data: {} }));
      const [received] = await settled(() => opened.received("one"), 1);
      expect(received?.headers["ce-time"]).toBe("2026-11-21T12:00:00.000Z");
      expect(received?.headers).not.toHaveProperty("content-type");
    });

    test("takes each status for what the dispatcher takes it for", async () => {
      await using stack = new AsyncDisposableStack();
      const answers = {
        one: (_nth: number, { headers }: { headers: NodeJS.Dict<string | string[]> }) => ({
          status: Number(headers["ce-subject"]),
        }),
      };
      const opened = await openStack(
        adapter(),
        { triggers: [{ name: "t", delivery: full, parallelism: 20 }], answers },
        stack,
      );
      await Promise.all(
        statuses.map(([status]) => send(opened, event({ id: String(status), subject: String(status) }))),
      );
      const count = statuses.reduce((sum, [, attempts]) => sum + attempts, 0);
      await settled(() => opened.received("one"), count);
      await settled(() => opened.received("dead"), statuses.filter(([, , dead]) => dead).length);
      const of = (service: string, status: number) =>
        opened.received(service).filter(({ headers }) => headers["ce-id"] === String(status)).length;
      const seen = statuses.map(([status]) => [status, of("one", status), of("dead", status) > 0]);
      expect(seen).toEqual(statuses);
    });

    test.for([
      ["exponential", [200, 400, 800]],
      ["linear", [100, 200, 300]],
    ] as const)("waits %s", async ([backoffPolicy, waits]) => {
      await using stack = new AsyncDisposableStack();
      const delivery = { ...full, backoffPolicy };
      const options = { triggers: [{ name: "t", delivery }], answers: { one: always500 } };
      const opened = await openStack(adapter(), options, stack);
      await send(opened);
      await settled(() => opened.received("dead"), 1);
      expect(opened.waits).toEqual(waits);
    });

    test.for(matrix)("$name", async ({ broker, one, two, failures, outcomes }) => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(
        adapter(),
        {
          ...(broker && { brokerDelivery: broker }),
          triggers: [one, { ...two, subscriber: "two" }],
          answers: { one: failing(failures[0]), two: failing(failures[1]) },
        },
        stack,
      );
      await send(opened);
      const last = () =>
        opened.reports.filter(({ outcome, deadLetter }) => outcome !== "retried" && !deadLetter);
      await settled(last, 2);
      const outcomeOf = (trigger: string) => last().find((report) => report.trigger === trigger)?.outcome;
      expect([outcomeOf("t1"), outcomeOf("t2")]).toEqual(outcomes);
      const dead = outcomes.filter((outcome) => outcome === "dead-lettered").length;
      await settled(() => opened.received("dead"), dead);
      expect(opened.received("dead")).toHaveLength(dead);
    });

    test("a dead letter says where it could not go and why", async () => {
      await using stack = new AsyncDisposableStack();
      const options = {
        triggers: [{ name: "t", delivery: full }],
        answers: { one: () => ({ status: 503 }) },
      };
      const opened = await openStack(adapter(), options, stack);
      await send(opened, event({ id: "x", subject: "s" }, `{"a": 1}`));
      const [letter] = await settled(() => opened.received("dead"), 1);
      expect(letter?.headers).toMatchObject({
        "ce-id": "x",
        "ce-subject": "s",
        "ce-knativeerrorcode": "503",
      });
      expect(letter?.headers["ce-knativeerrordest"]).toMatch(/^http:.*\/one/);
      expect(letter?.headers).not.toHaveProperty("ce-knativeerrordata");
      expect(letter?.body).toBe(`{"a": 1}`);
    });

    test("what no header can carry goes to the dead letters with code -1", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), { triggers: [{ name: "t", delivery: full }] }, stack);
      await send(opened, structured({ subject: "two\nlines" }));
      const [letter] = await settled(() => opened.received("dead"), 1);
      expect(letter?.headers).toMatchObject({ "ce-knativeerrorcode": "-1", "ce-subject": "two%0Alines" });
      expect(opened.received("one")).toHaveLength(0);
    });

    test("no answer is code -1 after all retries", async () => {
      await using stack = new AsyncDisposableStack();
      const delivery = { ...full, timeout: "PT0.05S" };
      const never = Promise.withResolvers<{ status: number }>();
      stack.defer(() => never.resolve({ status: 204 }));
      const answers = { one: () => never.promise };
      const opened = await openStack(adapter(), { triggers: [{ name: "t", delivery }], answers }, stack);
      await send(opened);
      const [letter] = await settled(() => opened.received("dead"), 1);
      expect(letter?.headers["ce-knativeerrorcode"]).toBe("-1");
      expect(opened.received("one")).toHaveLength(4);
    });

    test("acknowledges only once the dead letter is stored", async () => {
      await using stack = new AsyncDisposableStack();
      let refusals = 2;
      const wrap = (broker: Broker): Broker => ({
        ...broker,
        publish: async (exchange, message) => {
          if (message.headers["knativeerrorcode"] === undefined || refusals === 0)
            return broker.publish(exchange, message);
          refusals -= 1;
          throw new Error("refused");
        },
      });
      const options = { triggers: [{ name: "t", delivery: full }], answers: { one: always500 }, wrap };
      const opened = await openStack(adapter(), options, stack);
      await send(opened);
      await settled(() => opened.received("dead"), 1);
      expect(refusals).toBe(0);
      expect(opened.received("one")).toHaveLength(4);
    });

    test("holds a dead letter until its sink takes it", async () => {
      await using stack = new AsyncDisposableStack();
      const answers = { one: always500, dead: failing(9) };
      const opened = await openStack(
        adapter(),
        { triggers: [{ name: "t", delivery: full }], answers },
        stack,
      );
      await send(opened);
      await settled(
        () => opened.reports.filter(({ deadLetter, outcome }) => deadLetter && outcome === "delivered"),
        1,
      );
      expect(opened.received("dead")).toHaveLength(10);
    });
  });
}

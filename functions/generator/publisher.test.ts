import { pino } from "pino";
import { expect, test } from "vitest";

import type { Event } from "../../events/event.ts";
import type { Sink } from "../../runtime/function.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import { createPublisher } from "./publisher.ts";

const event = (id: string): Event => ({
  specversion: "1.0",
  id,
  source: "/x",
  type: "t",
  extensions: {},
  data: {},
});

function setUp(sink: Sink) {
  const metrics = createMetrics("generator");
  const publisher = createPublisher({ sink, metrics, log: pino({ level: "silent" }) });
  const outcomes = async () => {
    const { values } = await metrics.eventsPublished.get();
    return Object.fromEntries(values.map(({ labels, value }) => [labels["outcome"], value]));
  };
  return { publisher, outcomes };
}

/** A sink that holds every event until it is let go. */
function gatedSink() {
  const gate = Promise.withResolvers<void>();
  const asked: string[] = [];
  const sink: Sink = async (events) => {
    asked.push(...events.map(({ id }) => id));
    await gate.promise;
  };
  return { sink, asked, open: () => gate.resolve() };
}

test("sends a bounded number at once, and everything in the end", async () => {
  const { sink, asked, open } = gatedSink();
  const { publisher, outcomes } = setUp(sink);
  for (let index = 0; index < 100; index += 1) expect(publisher.offer(event(String(index)), 1)).toBe(true);
  expect(asked).toHaveLength(32);
  open();
  await publisher[Symbol.asyncDispose]();
  expect(asked).toHaveLength(100);
  expect(await outcomes()).toEqual({ sent: 100 });
});

test("refuses what does not fit into its memory, and takes more once there is room", async () => {
  const { sink, open } = gatedSink();
  const { publisher, outcomes } = setUp(sink);
  const half = 16 * 1024 * 1024;
  expect([
    publisher.offer(event("1"), half),
    publisher.offer(event("2"), half),
    publisher.offer(event("3"), 1),
  ]).toEqual([true, true, false]);
  open();
  await expect.poll(() => publisher.offer(event("4"), half)).toBe(true);
  await publisher[Symbol.asyncDispose]();
  expect((await outcomes())["sent"]).toBe(3);
});

test("an event the broker does not confirm holds up no other", async () => {
  const sent: string[] = [];
  const { publisher, outcomes } = setUp(async ([first]) => {
    if (first?.id === "bad") throw new Error("refused");
    sent.push(first?.id ?? "");
  });
  for (const id of ["a", "bad", "b"]) publisher.offer(event(id), 1);
  await publisher[Symbol.asyncDispose]();
  expect(sent).toEqual(["a", "b"]);
  expect(await outcomes()).toEqual({ sent: 2, failed: 1 });
});

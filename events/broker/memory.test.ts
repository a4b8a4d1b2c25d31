import { expect, test } from "vitest";

import type { Message, Taken, Verdict } from "./broker.ts";
import { openMemoryBroker } from "./memory.ts";

const topology = {
  queueType: "quorum",
  exchanges: ["x"],
  queues: [{ name: "q" }],
  bindings: [
    { exchange: "x", queue: "q", arguments: { type: "a" } },
    { exchange: "x", queue: "q", arguments: { source: "/s" } },
  ],
} as const;

const message = (id: string): Message => ({
  headers: { id, type: "a", source: "/s" },
  body: Buffer.alloc(0),
});

/** A handler that keeps every message until it is told what to do with it. */
function createHand() {
  const held: {
    readonly id: unknown;
    readonly redelivered: boolean;
    readonly settle: (verdict: Verdict) => void;
  }[] = [];
  const handler = ({ headers }: Message, { redelivered, signal }: Taken) =>
    new Promise<Verdict>((settle) => {
      held.push({ id: headers["id"], redelivered, settle });
      signal.addEventListener("abort", () => settle("leave"));
    });
  return { held, handler, ids: () => held.map(({ id }) => id) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a queue gets a message once, along however many bindings", async () => {
  await using broker = openMemoryBroker(topology);
  const { handler, ids } = createHand();
  expect(await broker.publish("x", message("1"))).toEqual({ routed: true });
  broker.consume("q", 10, handler);
  await turn();
  expect(ids()).toEqual(["1"]);
});

test("messages that come back keep their order and are marked", async () => {
  await using broker = openMemoryBroker(topology);
  const [first, second, third] = [createHand(), createHand(), createHand()];
  for (const id of ["1", "2", "3"]) await broker.publish("x", message(id));
  const consumers = [broker.consume("q", 1, first.handler), broker.consume("q", 1, second.handler)];
  await turn();
  expect([first.ids(), second.ids()]).toEqual([["1"], ["2"]]);
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  broker.consume("q", 10, third.handler);
  await turn();
  expect(third.held.map(({ id, redelivered }) => [id, redelivered])).toEqual([
    ["1", true],
    ["2", true],
    ["3", false],
  ]);
});

test("a verdict that comes after the connection was lost settles nothing", async () => {
  const queues = new Map();
  await using broker = openMemoryBroker(topology, queues);
  const { held, handler, ids } = createHand();
  const deaf = (received: Message, taken: Taken) =>
    handler(received, { ...taken, signal: new AbortController().signal });
  await broker.publish("x", message("1"));
  broker.consume("q", 2, deaf);
  await turn();
  broker.disconnect();
  await turn();
  expect(ids()).toEqual(["1", "1"]);
  held[0]?.settle("ack");
  await turn();
  broker.disconnect();
  await turn();
  expect(ids()).toEqual(["1", "1", "1"]);
  for (const { settle } of held) settle("ack");
  await turn();
});

import { describe, expect, test, vi } from "vitest";

import { createLog } from "../../runtime/log.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import { nextResult } from "./attempt.ts";
import { ChannelError, type Message, type Send } from "./channels/channel.ts";
import { createSender, type SenderDeps } from "./sender.ts";
import type { Claim, Outbox, Result } from "./store/outbox.ts";

const message: Message = {
  type: "alert.raised",
  timestamp: "2026-11-21T12:00:05.000Z",
  data: { alert_id: "a-1", alert_name: "Multiple failed logins", severity: "HIGH", count: 3 },
};

/** An outbox in memory; `failMarks` makes the next marks fail. */
function createOutbox(ids: readonly string[], { failMarks = 0 } = {}) {
  const pending = new Map(ids.map((id) => [id, 0]));
  const marks: { readonly id: string; readonly result: Result }[] = [];
  const order: string[] = [];
  let failing = failMarks;
  const outbox: Outbox = {
    async claim({ limit }) {
      order.push("claim");
      const claims: Claim[] = [];
      for (const [id, attempts] of [...pending].slice(0, limit)) {
        pending.delete(id);
        claims.push({ id, channel: "test", message, attempt: attempts + 1 });
      }
      return claims;
    },
    async mark({ id }, result) {
      if (failing-- > 0) throw new Error("the connection was lost");
      order.push("mark");
      marks.push({ id, result });
    },
    nextDue: async () => undefined,
  };
  return { outbox, marks, order, pending };
}

const open = (outbox: Outbox, send: Send, deps: Partial<SenderDeps> = {}) =>
  createSender({
    outbox,
    channels: new Map([["test", send]]),
    log: createLog({ name: "test", level: "silent" }),
    metrics: createMetrics("test"),
    random: () => 1,
    ...deps,
  });

describe("the sender", () => {
  test("delivers all that is due and marks every outcome before it claims more", async () => {
    const { outbox, marks, order } = createOutbox(["1", "2", "3"]);
    await using sender = open(outbox, async () => undefined, { policy: { limit: 2 } });
    expect(await sender.run()).toBe(3);
    expect(marks.map(({ result }) => result.kind)).toEqual(["delivered", "delivered", "delivered"]);
    expect(order).toEqual(["claim", "mark", "mark", "claim", "mark", "claim"]);
  });

  test("a mark that fails is tried until it succeeds, and the message is not sent again", async () => {
    const { outbox, marks } = createOutbox(["1"], { failMarks: 3 });
    const sent: string[] = [];
    await using sender = open(outbox, async ({ id }) => void sent.push(id));
    await sender.run();
    expect(sent).toEqual(["1"]);
    expect(marks).toEqual([{ id: "1", result: { kind: "delivered" } }]);
  });

  test("a channel that fails does not keep the others from their turn", async () => {
    const { outbox, marks } = createOutbox(["1", "2"]);
    await using sender = open(outbox, async ({ id }) => {
      if (id === "1") throw new Error("refused");
    });
    await sender.run();
    expect(marks).toEqual(
      expect.arrayContaining([
        { id: "1", result: { kind: "again", afterMs: 1000, reason: "refused" } },
        { id: "2", result: { kind: "delivered" } },
      ]),
    );
  });

  test("woken many times during a run it looks once more, and misses nothing", async () => {
    const { outbox, marks, order, pending } = createOutbox(["1"]);
    const gate = Promise.withResolvers<void>();
    await using sender = open(outbox, () => gate.promise);
    sender.wake();
    await vi.waitFor(() => expect(order).toEqual(["claim"]));
    pending.set("2", 0);
    for (let i = 0; i < 100; i++) sender.wake();
    gate.resolve();
    await vi.waitFor(() => expect(marks.map(({ id }) => id)).toEqual(["1", "2"]));
    expect(order.length).toBeLessThan(10);
  });

  test("when it stops it finishes what it began and claims no more", async () => {
    const { outbox, marks, order, pending } = createOutbox(["1"]);
    const gate = Promise.withResolvers<void>();
    const sender = open(outbox, () => gate.promise);
    sender.wake();
    await vi.waitFor(() => expect(order).toEqual(["claim"]));
    pending.set("2", 0);
    const stopped = sender[Symbol.asyncDispose]();
    gate.resolve();
    await stopped;
    expect(marks.map(({ id }) => id)).toEqual(["1"]);
    expect(order).toEqual(["claim", "mark"]);
  });

  test("when an attempt does not end it is given up", async () => {
    const { outbox, order } = createOutbox(["1"]);
    const sender = open(
      outbox,
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("given up")));
        }),
      { policy: { closeMs: 10 } },
    );
    sender.wake();
    await vi.waitFor(() => expect(order).toEqual(["claim"]));
    await sender[Symbol.asyncDispose]();
    expect(order.filter((step) => step === "claim")).toHaveLength(1);
  });
});

describe("after a failed attempt", () => {
  const policy = { attempts: 5, firstBackoffMs: 1000, maxBackoffMs: 5000 };
  test.for([
    [1, 1, 1000],
    [1, 0, 500],
    [2, 1, 2000],
    [3, 1, 4000],
    [4, 1, 5000],
  ] as const)("number %i, with chance %i, it waits %i ms", ([attempt, chance, afterMs]) => {
    expect(nextResult({ attempt, error: new Error("refused"), chance }, policy)).toEqual({
      kind: "again",
      afterMs,
      reason: "refused",
    });
  });

  test.for<[string, number, Error]>([
    ["the last one", 5, new Error("refused")],
    ["one that can never succeed", 1, new ChannelError("gone", false)],
  ])("%s gives the delivery up", ([, attempt, error]) => {
    expect(nextResult({ attempt, error, chance: 1 }, policy)).toEqual({
      kind: "failed",
      reason: error.message,
    });
  });

  test("the reason is short and can be stored", () => {
    const error = new Error("a\0b".repeat(1000), { cause: new Error("because") });
    const { reason } = nextResult({ attempt: 1, error, chance: 1 }, policy) as { readonly reason: string };
    expect(reason).not.toContain("\0");
    expect(reason.length).toBeLessThanOrEqual(500);
  });
});

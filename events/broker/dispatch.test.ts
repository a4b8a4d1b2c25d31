import { expect, test } from "vitest";

import type { DeliveryOutcome } from "./broker.ts";
import { createDispatcher } from "./dispatch.ts";
import { profiles } from "./profile.ts";
import type { Lane } from "./topology.ts";

const lane: Lane = {
  trigger: "t",
  deadLetter: false,
  queue: "q",
  destination: { service: "s" },
  parallelism: 1,
  policy: {
    retry: 3,
    backoffPolicy: "linear",
    backoffDelayMs: 1000,
    timeoutMs: 0,
    refusal: "success",
    undeliverable: "dead-letter",
  },
  deadLetterExchange: "dlx",
  binding: { "x-match": "all" },
};

const message = {
  headers: { specversion: "1.0", id: "1", type: "t", source: "/s", time: "2026-11-21T12:00:00Z" },
  body: Buffer.alloc(0),
};

/** A dispatcher whose every attempt ends with 503, stopped at its nth wait. */
async function dispatchStoppedAt(wait: number) {
  const stopping = new AbortController();
  const outcomes: DeliveryOutcome[] = [];
  let attempts = 0;
  let waits = 0;
  const handler = createDispatcher(
    {
      publish: () => Promise.reject(new Error("RabbitMQ is away")),
      accept: () => Promise.resolve(202),
      post: () => {
        attempts += 1;
        return Promise.resolve({ status: 503, headers: {}, body: Buffer.alloc(0) });
      },
      resolve: () => "http://s/",
      profile: profiles["knative-rabbitmq"],
      clock: {
        now: () => 0,
        sleep: async () => {
          waits += 1;
          if (waits === wait) stopping.abort();
        },
      },
      newId: () => "id",
      observer: { onDelivered: ({ outcome }) => outcomes.push(outcome) },
    },
    lane,
  );
  const verdict = await handler(message, { redelivered: false, signal: stopping.signal, survived: () => {} });
  return { verdict, attempts, outcomes };
}

test("a stop ends the wait for the next attempt, which is not made", async () => {
  expect(await dispatchStoppedAt(2)).toEqual({
    verdict: "leave",
    attempts: 2,
    outcomes: ["retried", "retried", "left"],
  });
});

test("a stop ends the wait for RabbitMQ to take a dead letter, and the event stays", async () => {
  const { verdict, attempts, outcomes } = await dispatchStoppedAt(6);
  expect(attempts).toBe(4);
  expect(verdict).toBe("leave");
  expect(outcomes.at(-1)).toBe("left");
});

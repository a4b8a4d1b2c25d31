import { describe, expect, test } from "vitest";

import { noAnswer, nextStep } from "./delivery.ts";
import type { DeliverySpec, Manifests } from "./manifests.ts";
import { profiles } from "./profile.ts";
import { childName, planWiring } from "./topology.ts";

const profile = profiles["knative-rabbitmq"];
const uid = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0";

describe("a child's name", () => {
  test.for([
    ["parent and UID, where they fit", "b.ns.broker.", `b.ns.broker.${uid}`],
    ["at the limit of 27 characters", "p".repeat(27), "p".repeat(27) + uid],
    // md5 of parent and UID, computed with md5sum
    ["beyond it, a hash", "p".repeat(28), "p".repeat(28) + "b372aa61cb664888aa7154f1ef0a74b3"],
    ["of a long parent, 31 characters", "p".repeat(40), "p".repeat(31) + "975b27eea4e714fd4ca1ba08deb7d821"],
  ] as const)("is %s", ([, parent, expected]) => {
    expect(childName(parent, uid)).toBe(expected);
  });
});

const sink = { service: "dead" };

function manifests(trigger: DeliverySpec | undefined, broker: DeliverySpec | undefined): Manifests {
  return {
    namespace: "ns",
    broker: { name: "b", queueType: "quorum", delivery: broker },
    triggers: [
      {
        name: "t",
        broker: "b",
        filter: { type: "x" },
        subscriber: { service: "s" },
        parallelism: 20,
        delivery: trigger,
        place: "test.yaml:1",
      },
    ],
    services: ["s", "dead"],
  };
}

describe("a Trigger's delivery", () => {
  test.for([
    ["none anywhere", undefined, undefined, 0, undefined],
    ["the Broker's, without a sink", undefined, {}, 5, undefined],
    ["the Broker's, with a sink", undefined, { deadLetterSink: sink }, 5, "b.ns.b.dlx."],
    ["the Broker's retries", undefined, { retry: 2, deadLetterSink: sink }, 2, "b.ns.b.dlx."],
    ["its own, without a sink", {}, { retry: 2, deadLetterSink: sink }, 5, undefined],
    ["its own, with retries only", { retry: 3 }, { deadLetterSink: sink }, 3, undefined],
    ["its own, with a sink", { retry: 3, deadLetterSink: sink }, { deadLetterSink: sink }, 3, "t.ns.t.dlx."],
  ] as const)("is %s", ([, trigger, broker, retry, exchange]) => {
    const [lane] = planWiring(manifests(trigger, broker), { profile }).lanes;
    expect(lane?.policy.retry).toBe(retry);
    expect(lane?.deadLetterExchange?.slice(0, 11)).toBe(exchange);
    const last = lane && nextStep(noAnswer, retry + 1, lane.policy);
    expect(last).toEqual({ kind: exchange === undefined ? "drop" : "dead-letter" });
  });
});

describe("the topology", () => {
  const wiring = planWiring(manifests({ deadLetterSink: sink }, { deadLetterSink: sink }), { profile });

  test("names and binds as the Knative controller does", () => {
    const [queue] = wiring.topology.queues;
    const brokerUid = wiring.exchange.slice("b.ns.b.".length);
    expect(brokerUid).toMatch(/^[0-9a-f-]{36}$/);
    expect(queue?.name).toBe(`ns.t.${brokerUid}`);
    expect(wiring.topology.bindings.map((binding) => binding.arguments)).toEqual([
      { type: "x", "x-knative-trigger": "t", "x-match": "all" },
      { "x-match": "all" },
      { "x-knative-dlq": "b", "x-match": "all" },
    ]);
  });

  test("is the same after a restart and another one under a prefix", () => {
    const again = planWiring(manifests({ deadLetterSink: sink }, { deadLetterSink: sink }), { profile });
    expect(again).toEqual(wiring);
    const apart = planWiring(manifests({ deadLetterSink: sink }, { deadLetterSink: sink }), {
      profile,
      prefix: "p",
    });
    const names = new Set(wiring.topology.queues.map(({ name }) => name));
    expect(apart.topology.queues.filter(({ name }) => names.has(name))).toEqual([]);
    expect(apart.topology.exchanges.filter((name) => wiring.topology.exchanges.includes(name))).toEqual([]);
  });

  test("gives dead letters the Trigger's parallelism and never drops them", () => {
    const letters = wiring.lanes.filter(({ deadLetter }) => deadLetter);
    expect(letters.map(({ parallelism }) => parallelism)).toEqual([20, 1]);
    expect(letters.map(({ policy }) => policy.undeliverable)).toEqual(["hold", "hold"]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { nextStep, noAnswer, parseDuration, type DeliveryPolicy, type NextStep } from "./delivery.ts";

const policy: fc.Arbitrary<DeliveryPolicy> = fc.record({
  retry: fc.nat(12),
  backoffPolicy: fc.constantFrom("exponential", "linear"),
  backoffDelayMs: fc.nat(10_000),
  timeoutMs: fc.nat(60_000),
  refusal: fc.constantFrom("success", "failure"),
  undeliverable: fc.constantFrom("dead-letter", "drop"),
});
const status = fc.oneof(fc.constant(noAnswer), fc.integer({ min: 200, max: 599 }));
const failing = fc.constantFrom(noAnswer, 404, 408, 409, 429, 500, 503, 599);

/** All steps of a message whose every attempt ends the same way. */
function stepsOf(outcome: number, given: DeliveryPolicy): readonly NextStep[] {
  const steps: NextStep[] = [];
  for (let attempt = 1; steps.at(-1)?.kind === "retry" || attempt === 1; attempt += 1) {
    steps.push(nextStep(outcome, attempt, given));
  }
  return steps;
}

describe("the next step", () => {
  test("makes retry + 1 attempts, then gives up as it is told", () => {
    fc.assert(
      fc.property(failing, policy, (outcome, given) => {
        const steps = stepsOf(outcome, given);
        expect(steps).toHaveLength(given.retry + 1);
        expect(steps.at(-1)).toEqual({ kind: given.undeliverable });
      }),
    );
  });

  test("waits longer and longer, within what a timer can hold", () => {
    fc.assert(
      fc.property(failing, policy, (outcome, given) => {
        const waits = stepsOf(outcome, given).flatMap((step) =>
          step.kind === "retry" ? [step.afterMs] : [],
        );
        expect(waits).toEqual(waits.toSorted((a, b) => a - b));
        expect(waits.every((ms) => ms < 2 ** 31)).toBe(true);
        const [first, second] = waits;
        const factor = given.backoffPolicy === "exponential" ? 2 : 1;
        if (first !== undefined) expect(first).toBe(given.backoffDelayMs * factor);
        if (second !== undefined) expect(second).toBe(given.backoffDelayMs * factor * 2);
      }),
    );
  });

  test("ends at once for anything else: acknowledged, or undeliverable where a refusal is a failure", () => {
    fc.assert(
      fc.property(status, policy, (outcome, given) => {
        fc.pre(outcome !== noAnswer && outcome < 500 && ![404, 408, 409, 429].includes(outcome));
        const refused = outcome >= 300 && given.refusal === "failure";
        expect(stepsOf(outcome, given)).toEqual([{ kind: refused ? given.undeliverable : "ack" }]);
      }),
    );
  });

  test("never gives up what is held", () => {
    fc.assert(
      fc.property(failing, policy, fc.integer({ min: 1, max: 2000 }), (outcome, given, attempt) => {
        const step = nextStep(outcome, attempt, { ...given, undeliverable: "hold" });
        expect(step.kind).toBe("retry");
        if (step.kind !== "retry" || attempt <= given.retry) return;
        expect(step.afterMs).toBeGreaterThanOrEqual(1000);
        expect(step.afterMs).toBeLessThanOrEqual(30_000);
      }),
    );
  });
});

describe("a duration", () => {
  test.for([
    ["PT0.2S", 200],
    ["PT25S", 25_000],
    ["PT1M30S", 90_000],
    ["PT2H", 7_200_000],
    ["P1D", 86_400_000],
    ["P1DT1S", 86_401_000],
    ["P2W", 1_209_600_000],
    ["PT0S", 0],
  ] as const)("%s is %i ms", ([text, ms]) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.for([
    "",
    "P",
    "PT",
    "P1DT",
    "200ms",
    "1m30s",
    "PT1S ",
    "pt1s",
    "-PT1S",
    "PT-1S",
    "P1Y",
    "P1M",
    "PT1H1H",
    "PT1S1M",
  ])("'%s' is none", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test("is the sum of its parts", () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(99), fc.nat(99), (days, minutes, seconds) => {
        const text = `P${days}DT${minutes}M${seconds}S`;
        expect(parseDuration(text)).toBe((days * 1440 * 60 + minutes * 60 + seconds) * 1000);
      }),
    );
  });
});

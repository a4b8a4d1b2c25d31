import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Expression } from "../language/expression.ts";
import { event, expression } from "./generate.testing.ts";
import { holds } from "./plain.ts";
import { createRuleIndex } from "./rule-index.ts";

const itemsOf = (detections: readonly Expression[]) => detections.map((detection, id) => ({ id, detection }));
type Item = ReturnType<typeof itemsOf>[number];

const found = (items: readonly Item[], fields: object) =>
  items.filter(({ detection }) => holds(detection, fields)).map(({ id }) => id);

/** Compares the index with the definition over a number of events, and counts what held. */
function compare(detections: readonly Expression[], events: readonly object[]): number {
  const items = itemsOf(detections);
  const index = createRuleIndex(items);
  let matched = 0;
  for (const fields of events) {
    const expected = found(items, fields);
    expect(index.match(fields).map(({ id }) => id)).toEqual(expected);
    matched += expected.length;
  }
  return matched;
}

// The index remembers between events, so every set of rules meets several, some of them twice.
const events = fc.array(event, { minLength: 1, maxLength: 6 }).map((some) => [...some, ...some.slice(0, 2)]);

test("the index finds what a plain reading of every rule finds", { timeout: 120_000 }, () => {
  let matched = 0;
  let compared = 0;
  fc.assert(
    fc.property(fc.array(expression, { minLength: 1, maxLength: 8 }), events, (detections, some) => {
      matched += compare(detections, some);
      compared += detections.length * some.length;
    }),
    { numRuns: 6000 },
  );
  expect(compared).toBeGreaterThan(100_000);
  // Rules that never match, or always, would prove nothing.
  expect(matched / compared).toBeGreaterThan(0.05);
  expect(matched / compared).toBeLessThan(0.6);
});

import { expect, test } from "vitest";

import { ruleSets } from "./correlations.testing.ts";
import { planOf } from "./plan.ts";

function modesOf(name: keyof typeof ruleSets): Record<string, string> {
  const { parts } = planOf(ruleSets[name].correlations);
  return Object.fromEntries(parts.map(({ correlation, mode }) => [correlation.id, mode]));
}

test("what more events can only make true is asked of the state, when it can be", () => {
  expect(new Set(Object.values(modesOf("windows")))).toEqual(new Set(["window"]));
  expect(modesOf("chains")).toEqual({
    child: "window",
    hosts: "ledger",
    "and then passed": "ledger",
    "values of a child": "ledger",
    "chain of chains": "ledger",
    "with a gap": "ledger",
  });
});

test("what they can also make untrue waits, and with it whatever refers to it", () => {
  const modes = modesOf("settled");
  expect(new Set(Object.values(modes))).toEqual(new Set(["settled"]));
  // What only serves those is evaluated with them.
  expect(Object.keys(modes)).toEqual(expect.not.arrayContaining(["child", "quiet"]));
});

test("every correlation comes after what it refers to", () => {
  const { parts } = planOf(ruleSets.chains.correlations.toReversed());
  for (const [index, { members }] of parts.entries()) {
    const before = parts.slice(0, index + 1).map(({ correlation }) => correlation);
    expect(before).toEqual(expect.arrayContaining([...members]));
  }
});

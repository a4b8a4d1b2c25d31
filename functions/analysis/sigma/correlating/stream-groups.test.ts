import { expect, test } from "vitest";

import { atLeast, correlationOf } from "./correlation.testing.ts";
import { createStreamGroups } from "./stream-groups.ts";
import { createStates } from "./stream-states.ts";

test("forgotten groups leave no timers that would remember them", () => {
  const limits = { groupsPerCorrelation: 10, membersPerGroup: 10 };
  const correlation = correlationOf({ groupBy: ["user"], condition: atLeast(5) });
  const [state] = createStates([correlation], limits).get("a") ?? [];
  const groups = createStreamGroups(limits.groupsPerCorrelation);
  if (!state) expect.unreachable("the rule is referred to");
  for (let sequence = 0; sequence < 20_000; sequence += 1) {
    const membership = { group: [`user ${sequence}`], rules: 1, values: [] };
    const entry = groups.entryFor(state, membership);
    entry.group.add({ sequence, time: 1, fields: {}, matched: ["a"] }, membership);
    groups.watch(entry);
  }
  expect(state.groups.size).toBe(10);
  expect(groups.timers).toBeLessThan(1100);
});

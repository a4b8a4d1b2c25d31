import { describe, expect, test } from "vitest";

import type { Event } from "../../../events/event.ts";
import type { State } from "../../../runtime/state/state.ts";
import { createMemoryState } from "../../../runtime/state/memory.ts";
import { alertsOf, compileTestRules, createTestAnalysis, login, testNow } from "../analysis.testing.ts";

describe("correlations of correlations", () => {
  const text = `
title: Failed login
id: failed
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
---
title: Login
id: passed
logsource: {category: authentication}
detection: {selection: {action_result: SUCCESS}, condition: selection}
---
title: Burst
id: burst
correlation: {type: event_count, rules: [failed], group-by: [user_id], timespan: 60s, condition: {gte: 3}}
---
title: Broken in
id: broken-in
level: critical
correlation: {type: temporal_ordered, rules: [burst, passed], group-by: [user_id], timespan: 5m}
`;
  const raisedBy = async (events: readonly ReturnType<typeof login>[]) => {
    const ruleSet = compileTestRules(text);
    const { detect } = createTestAnalysis({ rules: () => ruleSet });
    const raised: Event[] = [];
    for (const event of events) raised.push(...(await detect(event)));
    return alertsOf(raised);
  };
  const failures = ["a", "b", "c"].map((id, second) => login(id, second));
  const success = login("in", 60, { action_result: "SUCCESS" });

  test("fire when the last of what they wait for comes, and what they refer to is silent", async () => {
    for (const events of [[...failures, success], [success, ...failures].toReversed()]) {
      const alerts = await raisedBy(events);
      expect(alerts.map(({ alert_name, severity }) => [alert_name, severity])).toEqual([
        ["Broken in", "CRITICAL"],
      ]);
      expect(alerts[0]?.evidence?.map(({ id }) => id)).toEqual(["c", "in"]);
    }
  });

  test("the state does not list the members of what is silent again and again", async () => {
    const ruleSet = compileTestRules(text);
    const inner = createMemoryState({ now: () => testNow });
    const listed: number[] = [];
    const state: State = {
      ...inner,
      async window(step) {
        const answer = await inner.window(step);
        listed.push(...answer.qualified.map(({ members }) => members.length));
        return answer;
      },
    };
    const { detect } = createTestAnalysis({ rules: () => ruleSet, state });
    for (let second = 0; second < 20; second++) await detect(login(`e${second}`, second));
    expect(listed).toHaveLength(18);
    expect(listed.reduce((sum, count) => sum + count, 0)).toBe(20);
  });

  test("raise nothing when the order, the group or the number is another one", async () => {
    expect(await raisedBy([...failures.slice(1), success])).toEqual([]);
    expect(await raisedBy([...failures, login("in", -60, { action_result: "SUCCESS" })])).toEqual([]);
    const alice = login("in", 60, { action_result: "SUCCESS", user_id: "alice" });
    expect(await raisedBy([...failures, alice])).toEqual([]);
  });
});

import { expect, test } from "vitest";

import { compileTestRules, login, testNow } from "../analysis.testing.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { judgingOf } from "../verdict.ts";
import { ruleSets } from "./correlations.testing.ts";
import { timersOf } from "./timers.ts";

const minute = 60_000;
/** In the middle of slots: 5 s into one of 10 s, 3 s into one of 4 s. */
const time = Math.floor(testNow / 20_000) * 20_000 + 15_000;
const [ten, four] = [Math.floor(time / 10_000), Math.floor(time / 4000)];

function only(...ids: readonly string[]): RuleSet {
  const correlations = ruleSets.settled.correlations.filter(({ id }) => ids.includes(id));
  return { ...ruleSets.settled, correlations };
}

/** The timers of an event that is recorded `afterMs` later: group, bucket, end after the event, only when late. */
function requested(ruleSet: RuleSet, afterMs: number) {
  const verdict = judgingOf(ruleSet).judge(login("a", 0));
  if (!verdict) throw new Error("the event is not judged");
  const timers = timersOf({ verdict, time }, { latenessMs: 10 * minute, now: time + afterMs });
  return timers.map(({ group, bucket, endsAt, onlyWhenLate = false }) => {
    return [group, bucket, endsAt - time, onlyWhenLate];
  });
}

test("an event that comes in time asks for its own bucket, which ends with the reach ahead", () => {
  expect(requested(only("few"), 0)).toEqual([["4:root", ten, 5000, false]]);
  expect(requested(only("silence"), 0)).toEqual([["4:root", four, 5000, false]]);
});

test("one that comes late also asks for the others it can affect, which the ledger's clock decides on", () => {
  expect(requested(only("few"), 60 * minute)).toEqual([
    ["4:root", ten, 5000, false],
    ["4:root", ten + 1, 15_000, true],
  ]);
  expect(requested(only("silence"), 60 * minute)).toEqual([
    ["4:root", four - 1, 1000, true],
    ["4:root", four, 5000, false],
  ]);
});

test("a clock that is some minutes slow asks for all of them as well", () => {
  expect(requested(only("few"), 6 * minute)).toHaveLength(2);
  expect(requested(only("few"), 4 * minute)).toHaveLength(1);
});

test("what refers to others waits for all its groups together, with the reaches added up", () => {
  expect(requested(only("child", "one child"), 0)).toEqual([["", ten, 5000, false]]);
  // Positions from 4 s before the event, whose windows are seen for 10 s.
  expect(requested(only("quiet", "quiet twice"), 60 * minute)).toEqual([
    ["", ten, 9000, false],
    ["", ten + 1, 19_000, true],
  ]);
});

test("nothing waits for what fires first, or raises nothing", () => {
  expect(requested(ruleSets.windows, 60 * minute)).toEqual([]);
  expect(requested(only("quiet"), 60 * minute)).toEqual([]);
});

test("buckets that nobody can have settled are not listed, however many an event can affect", () => {
  const long = compileTestRules(`
title: Failed login
id: failed
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
---
title: Few in a year
id: few-in-a-year
correlation: {type: event_count, rules: [failed], group-by: [user_id], timespan: 366d, condition: {gte: 1, lt: 9}}
---
title: And again
id: again
correlation: {type: event_count, rules: [few-in-a-year], group-by: [user_id], timespan: 1s, condition: {gte: 1}}
`);
  // So many that an array could not hold them.
  const reaching = {
    ...long,
    correlations: long.correlations.map((one) =>
      one.id === "few-in-a-year" ? { ...one, timespanMs: 2 ** 33 * 1000 } : one,
    ),
  };
  const second = Math.floor(time / 1000);
  expect(requested(reaching, 0)).toEqual([["", second, (second + 1) * 1000 - time, false]]);
  expect(requested(reaching, 10 * minute).length).toBeLessThan(10 * 60);
});

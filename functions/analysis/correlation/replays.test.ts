import { expect, test } from "vitest";

import { auditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../../events/envelope.ts";
import { toInstant } from "../../../events/time.ts";
import type { EventRange, Ledger, LedgerEntry } from "../../../runtime/ledger/ledger.ts";
import { compileRules } from "../rules/compile.ts";
import { createJudge } from "../verdict.ts";
import { createReplays } from "./replays.ts";

const text = `
title: Failed login
id: failed
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
---
title: Burst
id: burst
correlation: {type: event_count, rules: [failed], group-by: [user_id], timespan: 10s, condition: {gte: 3}}
`;
const judge = createJudge(compileRules([{ file: "late.yml", text }]).ruleSet);
const base = Date.UTC(2026, 10, 21);

function entry(id: string, seconds: number, user = "root"): LedgerEntry {
  const time = base + seconds * 1000;
  const data = { event_type: "user_login", user_id: user, action_result: "FAILURE" };
  return { event: createEvent(auditRecorded, { id, source: "/late", time: toInstant(time), data }), time };
}

function lateOf({ event, time }: LedgerEntry) {
  const [hit] = judge({ data: auditRecorded.data.parse(event.data) })?.hits ?? [];
  if (!hit) throw new Error("the event counts for nothing");
  const { part, group } = hit;
  const between = { from: time - part.reach.after, to: time + part.reach.before };
  return { part, groupKey: group.key, between, judge };
}

/** A ledger that shows which ranges were read, and that can be held up. */
function createLedger(entries: readonly LedgerEntry[], gate: () => Promise<void> = async () => {}) {
  const ranges: EventRange[] = [];
  const ledger: Pick<Ledger, "replay"> = {
    async *replay(range) {
      ranges.push(range);
      await gate();
      yield* entries.filter(({ time }) => time >= range.from && time < range.to);
    },
  };
  return { ledger, ranges };
}

test("the windows of a late event are evaluated with all their members, of its group only", async () => {
  const late = entry("late", 5);
  const others = [entry("a", -4.999), entry("b", 14.999), entry("c", 0), entry("x", 5, "alice")];
  const { ledger, ranges } = createLedger([...others, late, entry("too old", -5), entry("too new", 15)]);
  const [answer] = await createReplays({ ledger })(lateOf(late));
  expect(ranges).toEqual([{ from: base - 4999, to: base + 15_000, types: [auditRecorded.type] }]);
  expect(answer?.buckets.map(({ crossedAt, count }) => [crossedAt - base, count])).toEqual([[5000, 3]]);
});

test("those that come while a replay runs share the next one", async () => {
  const events = [0, 1, 2, 3].map((second) => entry(`e${second}`, second));
  const gate = Promise.withResolvers<void>();
  const { ledger, ranges } = createLedger(events, () => gate.promise);
  const evaluate = createReplays({ ledger });
  const answers = Promise.all(events.map((event) => evaluate(lateOf(event))));
  gate.resolve();
  expect((await answers).map(([answer]) => answer?.buckets[0]?.count)).toEqual([4, 4, 4, 4]);
  expect(ranges).toHaveLength(2);
});

test("events far apart are replayed apart", async () => {
  const events = [entry("now", 0), entry("also now", 1), entry("last year", -31_536_000)];
  const { ledger, ranges } = createLedger(events);
  const evaluate = createReplays({ ledger });
  const warm = evaluate(lateOf(entry("first", 1_000_000)));
  await Promise.all([warm, ...events.map((event) => evaluate(lateOf(event)))]);
  expect(ranges.map(({ from, to }) => (to - from) / 1000).toSorted((a, b) => a - b)).toEqual([
    19.999, 19.999, 20.999,
  ]);
});

test("a ledger that fails fails those who asked, and the next are served", async () => {
  let failures = 1;
  const { ledger } = createLedger([entry("a", 0)], async () => {
    failures -= 1;
    if (failures >= 0) throw new Error("away");
  });
  const evaluate = createReplays({ ledger });
  await expect(evaluate(lateOf(entry("a", 0)))).rejects.toThrow("away");
  await expect(evaluate(lateOf(entry("a", 0)))).resolves.toEqual([]);
});

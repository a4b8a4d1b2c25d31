import { describe, expect, test } from "vitest";

import type { Event } from "../../../events/event.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import { createMemoryLedger } from "../../../runtime/ledger/memory.ts";
import type { Ledger } from "../../../runtime/ledger/ledger.ts";
import { alertsOf, compileTestRules, createTestAnalysis, login, testNow } from "../analysis.testing.ts";

const text = `
title: Login
id: login
logsource: {category: authentication}
detection: {selection: {event_type: user_login}, condition: selection}
---
title: A host went quiet
id: quiet
level: high
correlation:
  type: event_count
  rules: [login]
  group-by: [server_hostname]
  timespan: 60s
  condition: {lt: 1}
`;
const lateEvents = { olderThanMs: -3_600_000, limit: 100 };
const hour = 3_600_000;

function setUp(changes: { readonly ledger?: (ledger: Ledger) => Ledger; readonly rules?: string } = {}) {
  const clock = { at: testNow };
  const now = () => clock.at;
  const kept = createMemoryLedger({ now });
  const ledger = changes.ledger?.(kept) ?? kept;
  const emitted: Event[] = [];
  const failures: Error[] = [];
  const sink = async (events: readonly Event[]) => {
    const failure = failures.shift();
    if (failure) throw failure;
    emitted.push(...events);
  };
  let ruleSet = compileTestRules(changes.rules ?? text);
  const rules = () => ruleSet;
  const analysis = createTestAnalysis({ ledger, now, sink, rules, latenessMs: 10_000 });
  const outcomes = async () => {
    const { values } = await analysis.metrics.timersSettled.get();
    return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
  };
  return {
    ...analysis,
    clock,
    emitted,
    failures,
    outcomes,
    ledger: kept,
    use: (other: string) => {
      ruleSet = compileTestRules(other);
    },
  };
}

describe("a correlation that more events can make untrue", () => {
  test("raises nothing when an event comes, and once its time and the lateness have passed", async () => {
    const { detect, settle, clock, emitted } = setUp();
    expect(await detect(login("a", 0))).toEqual([]);
    // The minute of the event ends at :60, its silence a minute later, and events may be 10 s late.
    clock.at = testNow + 99_999;
    expect(await settle()).toBe(0);
    clock.at = testNow + 100_000;
    expect(await settle()).toBe(1);
    expect(alertsOf(emitted)).toEqual([
      expect.objectContaining({
        timestamp: "2026-11-21T12:00:30.000Z",
        alert_name: "A host went quiet",
        description:
          "A host went quiet: 1 events after which nothing came for 60 s (server_hostname edge-2).",
        group: { server_hostname: "edge-2" },
        evidence: [{ source: "/auditflow/source/sshd", id: "a", time: "2026-11-21T12:00:30.000Z" }],
        impacted_resource: expect.objectContaining({ server_hostname: "edge-2" }),
        window: { kind: "sliding", timespan_ms: 60_000, type: "event_count" },
      }),
    ]);
    expect(await settle()).toBe(0);
  });

  test("raises nothing when what was awaited came, in whatever order", async () => {
    const { detect, settle, clock, emitted } = setUp();
    await detect(login("b", 20));
    await detect(login("a", 0));
    await detect(login("other", 70, { server_hostname: "edge-3" }));
    clock.at = testNow + hour;
    await settle();
    expect(
      alertsOf(emitted).map(({ group, first_seen }) => [group?.["server_hostname"], first_seen]),
    ).toEqual([
      ["edge-2", "2026-11-21T12:00:50.000Z"],
      ["edge-3", "2026-11-21T12:01:40.000Z"],
    ]);
  });

  test("is judged again when an event comes after that, and tells only what it did not tell", async () => {
    const { detect, settle, clock, emitted, outcomes } = setUp();
    await detect(login("a", 0));
    clock.at = testNow + hour;
    await settle();
    await detect(login("far", 600));
    await detect(login("b", 10));
    clock.at = testNow + 2 * hour;
    // Each of them could also have ended a silence of the minute before.
    expect(await settle()).toBe(4);
    const told = alertsOf(emitted).map(({ alert_id, evidence = [] }) => [alert_id, evidence[0]?.id]);
    expect(new Set(told.map(([, id]) => id))).toEqual(new Set(["a", "b", "far"]));
    // The two of one minute are one alert: that `a` was not the last one nobody could know.
    expect(new Set(told.map(([id]) => id)).size).toBe(2);
    await detect(login("again", 5));
    clock.at = testNow + 3 * hour;
    await settle();
    expect(emitted).toHaveLength(3);
    expect(await outcomes()).toEqual({ settled: 7 });
  });

  test("whose alerts the sink does not take has them recorded, to be emitted again", async () => {
    const { detect, settle, clock, failures, ledger } = setUp();
    await detect(login("a", 0));
    failures.push(new UnavailableError("sink", "away"));
    clock.at = testNow + hour;
    await expect(settle()).rejects.toThrow("away");
    expect(alertsOf(await ledger.unstored(lateEvents))).toHaveLength(1);
    expect(await settle()).toBe(0);
  });

  test("that cannot be settled now is settled later, and does not stand in the way of others", async () => {
    let broken = 1;
    const { detect, settle, clock, emitted } = setUp({
      ledger: (ledger) => ({
        ...ledger,
        settle: async (settlement) => {
          broken -= 1;
          if (broken === 0) throw new UnavailableError("postgres", "away");
          return await ledger.settle(settlement);
        },
      }),
    });
    for (const [index, host] of ["a", "b", "c"].entries()) {
      await detect(login(host, index, { server_hostname: host }));
    }
    clock.at = testNow + hour;
    await expect(settle()).rejects.toThrow("away");
    expect(emitted).toHaveLength(2);
    clock.at += 299_999;
    expect(await settle()).toBe(0);
    clock.at += 1;
    expect(await settle()).toBe(1);
    expect(emitted).toHaveLength(3);
  });

  test("of more groups than a page holds is judged page by page, each page in one replay", async () => {
    let replays = 0;
    const { detect, settle, clock, emitted } = setUp({
      ledger: (ledger) => ({
        ...ledger,
        replay: (range) => {
          // The event of an alert is looked up in a replay of its own millisecond.
          if (range.to - range.from > 1) replays += 1;
          return ledger.replay(range);
        },
      }),
    });
    for (let n = 0; n < 250; n += 1) await detect(login(`e${n}`, 0, { server_hostname: `host-${n}` }));
    replays = 0;
    clock.at = testNow + hour;
    expect(await settle()).toBe(250);
    expect(emitted).toHaveLength(250);
    // The first question of a page does not know yet that more will come.
    expect(replays).toBeLessThanOrEqual(6);
  });

  test("that is not in force any more is dropped, but not while others may know it", async () => {
    const { detect, settle, clock, emitted, use, outcomes } = setUp();
    await detect(login("a", 0));
    use(text.replace("timespan: 60s", "timespan: 61s"));
    clock.at = testNow + 200_000;
    expect(await settle()).toBe(0);
    use(text);
    clock.at += 300_000;
    expect(await settle()).toBe(1);
    expect(emitted).toHaveLength(1);

    await detect(login("b", 495));
    use("");
    clock.at = testNow + 3 * hour;
    expect(await settle()).toBe(0);
    use(text.replace("timespan: 60s", "timespan: 61s"));
    expect(await settle()).toBe(1);
    expect(await outcomes()).toEqual({ settled: 1, dropped: 1 });
    use(text);
    clock.at = testNow + 9 * hour;
    expect(await settle()).toBe(0);
  });
});

describe("a correlation of one that looks ahead", () => {
  const chain = `${text}generate: true
---
title: Quiet hosts
id: quiet-hosts
correlation: {type: value_count, rules: [quiet], field: server_hostname, timespan: 5m, condition: {gte: 2}}
`;

  test("is judged after it, with both reaches", async () => {
    const { detect, settle, clock, emitted } = setUp({ rules: chain });
    await detect(login("a", 0));
    await detect(login("b", 90, { server_hostname: "edge-3" }));
    clock.at = testNow + hour;
    await settle();
    const both = alertsOf(emitted).filter(({ analysis_rule }) => analysis_rule.rule_id === "quiet-hosts");
    expect(both.map(({ evidence }) => evidence?.map(({ id }) => id))).toEqual([["a", "b"]]);
  });
});

import { expect, test } from "vitest";

import type { AlertRaised } from "../../events/contracts/alert-raised.ts";
import { createMemoryLedger } from "../../runtime/ledger/memory.ts";
import { UnavailableError } from "../../runtime/failure.ts";
import { createMemoryState } from "../../runtime/state/memory.ts";
import { alertsOf, compileTestRules, createTestAnalysis, login, testNow } from "./analysis.testing.ts";

const text = `
title: Failed login
id: failed-login
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
`;
const rules = () => ruleSet;
const ruleSet = compileTestRules(text);
/** Event times are told from the beginning of the tests' minute. */
const inMinute = -30;

test("a flood becomes a summary a minute that touches the next, and every event is in one alert's evidence", async () => {
  const { detect, metrics } = createTestAnalysis({ rules, floodLimit: 3 });
  const events = Array.from({ length: 90 }, (_, index) => login(`e${index}`, inMinute - 60 + index));
  const told: AlertRaised[] = [];
  for (const event of events) told.push(...alertsOf(await detect(event)));
  const summaries = told.filter(({ alert_name: name }) => name === "Failed login (flood)");
  expect(told).toHaveLength(90);
  expect(told.length - summaries.length).toBe(6);
  expect(new Set(told.flatMap(({ evidence = [] }) => evidence.map(({ id }) => id)))).toHaveLength(90);

  const ids = new Set(summaries.map(({ alert_id: id }) => id));
  expect(ids).toHaveLength(2);
  const spans = [...Map.groupBy(summaries, ({ alert_id: id }) => id).values()].map(([first]) => first);
  expect(spans[0]?.last_seen).toBe(spans[1]?.first_seen);
  expect(new Set(summaries.map(({ group_key: key }) => key))).toHaveLength(1);
  expect(summaries[0]).toMatchObject({
    analysis_rule: { rule_id: "failed-login" },
    group: { source: "/auditflow/source/sshd" },
    description: expect.stringContaining("more than 3 alerts a minute about /auditflow/source/sshd"),
  });
  const summarised = await metrics.alertsSummarised.get();
  expect(summarised.values).toMatchObject([{ value: 84, labels: { rule: "failed-login" } }]);
});

test("each rule and each source has a limit of its own", async () => {
  const { detect } = createTestAnalysis({ rules, floodLimit: 1 });
  const names: string[] = [];
  for (const source of ["/one", "/two", "/one"]) {
    const event = { ...login(`e${names.length}`, 0), source };
    names.push(...alertsOf(await detect(event)).map(({ alert_name: name }) => name));
  }
  expect(names).toEqual(["Failed login", "Failed login", "Failed login (flood)"]);
});

test("further evidence of an alert that was told is no new alert", async () => {
  const burst = compileTestRules(`${text}---
title: Burst
id: burst
correlation: {type: event_count, rules: [failed-login], group-by: [user_id], timespan: 1h, condition: {gte: 1}}
`);
  const { detect } = createTestAnalysis({ rules: () => burst, floodLimit: 1 });
  const names: string[] = [];
  for (const user_id of ["ana", "ana", "bela", "ana"]) {
    const answered = await detect(login(`e${names.length}`, names.length, { user_id }));
    names.push(...alertsOf(answered).map(({ alert_name: name }) => name));
  }
  expect(names).toEqual(["Burst", "Burst", "Burst (flood)", "Burst"]);
});

test("evidence is told once, also in summaries", async () => {
  const burst = compileTestRules(`${text}---
title: Burst
id: burst
correlation: {type: event_count, rules: [failed-login], group-by: [user_id], timespan: 1h, condition: {gte: 2}}
`);
  const { detect } = createTestAnalysis({ rules: () => burst, floodLimit: 1 });
  const evidence: string[] = [];
  for (let index = 0; index < 40; index++) {
    const event = login(`e${index}`, index / 10, { user_id: index % 2 === 0 ? "ana" : "bela" });
    evidence.push(
      ...alertsOf(await detect(event)).flatMap((alert) => (alert.evidence ?? []).map(({ id }) => id)),
    );
  }
  expect(evidence).toHaveLength(40);
  expect(new Set(evidence)).toHaveLength(40);
});

test("delivered again before it was recorded, an event is told as it was the first time", async () => {
  const state = createMemoryState({ now: () => testNow });
  const run = (ledger = createMemoryLedger({ now: () => testNow })) =>
    createTestAnalysis({ rules, floodLimit: 1, state, ledger }).detect;
  const [first, second] = [login("e1", 0), login("e2", 1)];
  const once = [...(await run()(first)), ...(await run()(second))];
  const again = [...(await run()(second)), ...(await run()(first))];
  expect(again.toReversed()).toEqual(once);
});

test("no event can pose as a summary, to vanish in its episode", async () => {
  const { detect } = createTestAnalysis({ rules, floodLimit: 1 });
  const posing = { ...login("/auditflow/source/sshd", 0), source: "flood" };
  const told: AlertRaised[] = [];
  for (const event of [login("e1", 0), login("e2", 0), posing]) told.push(...alertsOf(await detect(event)));
  expect(told.map(({ alert_name: name }) => name)).toEqual([
    "Failed login",
    "Failed login (flood)",
    "Failed login",
  ]);
  expect(new Set(told.map(({ group_key: key }) => key))).toHaveLength(3);
});

test("without state, everything is told by itself", async () => {
  const state = {
    ...createMemoryState({ now: () => testNow }),
    admit: async () => {
      throw new UnavailableError("redis", "away");
    },
  };
  const { detect } = createTestAnalysis({ rules, floodLimit: 1, state });
  for (const id of ["e1", "e2"]) {
    expect(alertsOf(await detect(login(id, 0)))).toMatchObject([{ alert_name: "Failed login" }]);
  }
});

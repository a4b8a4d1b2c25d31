import { describe, expect, test } from "vitest";

import { createMemoryLedger } from "../../../runtime/ledger/memory.ts";
import { createMemoryState } from "../../../runtime/state/memory.ts";
import { alertsOf, createTestAnalysis, login, testNow } from "../analysis.testing.ts";

const now = () => testNow;
const state = () => createMemoryState({ now, limits: { groupsPerSeries: 2, membersPerGroup: 100 } });

describe("a correlation with more groups than it may have", () => {
  test("tells so once an hour, counts those it knows and stores all events", async () => {
    const { detect, ledger, metrics } = createTestAnalysis({ state: state(), maxGroups: 2 });
    const user = (id: string, name: string, seconds = 0) => login(id, seconds, { user_id: name });
    expect(await detect(user("1", "alice"))).toEqual([]);
    expect(await detect(user("2", "bob"))).toEqual([]);
    const [alert, ...others] = alertsOf(await detect(user("3", "carol")));
    expect(others).toEqual([]);
    expect(alert).toMatchObject({
      alert_type: "PIPELINE",
      severity: "HIGH",
      description: expect.stringMatching(/^burst \(Failed login burst\) holds 2 groups, the most it may/),
      metadata: { remediation_guidance: expect.stringContaining("AUDITFLOW_MAX_GROUPS") },
      evidence: [{ id: "3" }],
    });
    expect(await detect(user("4", "dave"))).toEqual([]);
    const [next] = alertsOf(await detect(user("5", "erin", -60)));
    expect(next?.alert_id).not.toBe(alert?.alert_id);
    expect(next?.group_key).toBe(alert?.group_key);
    for (const id of ["6", "7"]) await detect(user(id, "alice"));
    expect(alertsOf(await detect(user("8", "alice")))[0]).toMatchObject({ alert_type: "SECURITY", count: 4 });
    expect(await ledger.counts()).toMatchObject({ evaluated: 8, pending: 0 });
    expect((await metrics.groupsCapped.get()).values).toMatchObject([
      { labels: { rule: "burst" }, value: 3 },
    ]);
  });

  test("tells of it by one alert, whichever replica does", async () => {
    const shared = { state: state(), ledger: createMemoryLedger({ now }), maxGroups: 2 };
    const replicas = [createTestAnalysis(shared), createTestAnalysis(shared)];
    const told = [];
    for (const [index, name] of ["a", "b", "c", "d"].entries()) {
      const replica = replicas[index % 2];
      told.push(...alertsOf((await replica?.detect(login(name, 0, { user_id: name }))) ?? []));
    }
    expect(told).toHaveLength(2);
    expect(new Set(told.map(({ alert_id }) => alert_id)).size).toBe(1);
  });

  test("tells so under a key that no group of it can have", async () => {
    const { detect } = createTestAnalysis({ state: state() });
    const posing = { user_id: "groups capped", server_hostname: "burst" };
    const told = [];
    for (const id of ["1", "2", "3"]) told.push(...alertsOf(await detect(login(id, 0, posing))));
    for (const id of ["4", "5"]) told.push(...alertsOf(await detect(login(id, 0, { user_id: id }))));
    expect(told.map(({ alert_type: type }) => type)).toEqual(["SECURITY", "PIPELINE"]);
    expect(new Set(told.map(({ group_key: key }) => key))).toHaveLength(2);
  });
});

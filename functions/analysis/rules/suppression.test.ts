import { expect, test } from "vitest";

import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { compileRules } from "./compile.ts";
import { episodesOf } from "./episodes.ts";

const minute = 60_000;
const text = `
title: Odd login
id: odd-login
name: odd_login
level: high
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
auditflow: {rule_id: ODD-1, suppress: {by: [user_id], for: 1h}}
---
title: Plain
id: plain
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
---
title: Three times
id: three
correlation: {type: event_count, rules: [plain], group-by: [user_id], timespan: 10m, condition: {gte: 3}, generate: true}
auditflow: {suppress: {by: [user_id], for: 2h}}
`;

function compile(source = text) {
  const { ruleSet, problems } = compileRules([{ file: "a.yml", text: source }]);
  expect(problems).toEqual([]);
  return ruleSet;
}

const login = (time: number, user_id: string): { time: number; data: AuditRecorded } => ({
  time,
  data: { event_type: "user_login", user_id, action_result: "FAILURE" },
});

test("repetitions are one alert per key until the key was quiet for as long, and all are counted", () => {
  const events = [0, 1, 30, 85, 200].map((at) => login(at * minute, "ana"));
  const odd = episodesOf(compile(), [...events, login(5 * minute, "bela")]).filter(
    ({ shown }) => shown === "ODD-1",
  );
  expect(odd.map(({ group, count, firstSeen }) => [group, count, firstSeen / minute])).toEqual([
    [{ user_id: "ana" }, 4, 0],
    [{ user_id: "ana" }, 1, 200],
    [{ user_id: "bela" }, 1, 5],
  ]);
});

test("a match without the key alerts too, with the others that lack it", () => {
  const anonymous = [0, 10].map((at) => ({
    ...login(at * minute, ""),
    data: { event_type: "user_login", action_result: "FAILURE" },
  }));
  const odd = episodesOf(compile(), [...anonymous, login(5 * minute, "ana")]).filter(
    ({ shown }) => shown === "ODD-1",
  );
  expect(odd.map(({ group, count }) => [group, count])).toEqual([
    [{ user_id: "" }, 2],
    [{ user_id: "ana" }, 1],
  ]);
});

test("what stands in keeps the rule's words, shows its id and leaves its name to the original", () => {
  const { rules, correlations } = compile();
  expect(rules.map(({ id, silent }) => [id, silent])).toEqual([
    ["odd-login", true],
    ["plain", false],
  ]);
  const standIn = correlations.find(({ id }) => id === "odd-login/suppressed");
  expect(standIn).toMatchObject({ title: "Odd login", level: "high", shows: "ODD-1", silent: false });
  expect(standIn).not.toHaveProperty("name");
  expect(standIn).not.toHaveProperty("detection");
  expect(correlations.find(({ id }) => id === "three")).toMatchObject({ silent: true });
});

test("its revision follows the rule's, the key and the time", () => {
  const revision = (source: string) =>
    compile(source).correlations.find(({ shows }) => shows === "ODD-1")?.revision;
  const changes = [
    text.replace("for: 1h", "for: 2h"),
    text.replace("by: [user_id]", "by: [user_id, src_ip]"),
    text.replace("selection: {action_result: FAILURE}", "selection: {action_result: DENIED}"),
  ];
  expect(new Set([text, ...changes].map(revision)).size).toBe(4);
  expect(revision(text.replace("Odd login", "Another title"))).toBe(revision(text));
});

test("what is silent already is left alone", () => {
  const counted = text.replace("rules: [plain]", "rules: [odd_login]").replace(", generate: true", "");
  expect(compile(counted).correlations.map(({ id }) => id)).toEqual(["three", "three/suppressed"]);
});

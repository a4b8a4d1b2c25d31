import { describe, expect, test } from "vitest";

import type { EventLogsource, Logsource } from "../language/logsource.ts";
import type { Rule } from "../rule.ts";
import { field, like } from "./both.testing.ts";
import { createMatcher, groupByLogsource } from "./matcher.ts";

const ruleOf = (id: string, logsource: Logsource, value = "a") =>
  ({ id, logsource, detection: field("f", like(value)) }) as unknown as Rule;
const idsOf = (rules: readonly Rule[]) => rules.map(({ id }) => id);

describe("which rules apply", () => {
  const stated: readonly Logsource[] = [
    { product: "linux" },
    { category: "authentication" },
    { product: "linux", category: "authentication", service: "sshd" },
    { product: "linux", vendor: "debian" },
  ];
  const matcher = createMatcher(groupByLogsource(stated.map((one, i) => ruleOf(`${i}`, one))));
  test.for<readonly [EventLogsource, readonly string[]]>([
    [{}, []],
    [{ product: "linux" }, ["0"]],
    [{ product: "LINUX", service: "cron" }, ["0"]],
    [{ category: "authentication" }, ["1"]],
    [{ product: "linux", category: "authentication", service: "sshd" }, ["0", "1", "2"]],
    [{ product: "linux", category: ["network_connection", "authentication"] }, ["0", "1"]],
    [{ product: "linux", category: [] }, ["0"]],
    [{ product: "linux", vendor: "Debian" }, ["0", "3"]],
    [{ product: "windows", vendor: "debian" }, []],
  ])("%j: %j", ([logsource, expected]) => {
    for (let i = 0; i < 3; i += 1) expect(idsOf(matcher.match({ f: "A" }, logsource))).toEqual(expected);
    expect(matcher.match({ f: "b" }, logsource)).toEqual([]);
  });

  test("a list of categories that is changed is read anew", () => {
    const category = ["authentication"];
    expect(idsOf(matcher.match({ f: "a" }, { category }))).toEqual(["1"]);
    category[0] = "other";
    expect(matcher.match({ f: "a" }, { category })).toEqual([]);
  });

  test("more spellings than are remembered", () => {
    for (let i = 0; i < 1000; i += 1) expect(matcher.match({ f: "a" }, { service: `s${i}` })).toEqual([]);
    expect(idsOf(matcher.match({ f: "a" }, { product: "linux" }))).toEqual(["0"]);
  });
});

test("rules are read when the first event comes that they may apply to, and once", () => {
  const reads: string[] = [];
  const group = (product: string) => ({
    logsource: { product },
    rules: () => {
      reads.push(product);
      return [ruleOf(product, { product })];
    },
  });
  const matcher = createMatcher([group("linux"), group("windows")]);
  matcher.match({ f: "a" }, { product: "macos" });
  expect(reads).toEqual([]);
  for (const service of ["x", "y"]) matcher.match({ f: "a" }, { product: "linux", service });
  expect(reads).toEqual(["linux"]);
});

test("rules come in the order of their groups, and within", () => {
  const rules = ["3", "1", "2"].map((id, i) => ruleOf(id, { product: i === 1 ? "b" : "a" }));
  const matcher = createMatcher([
    ...groupByLogsource(rules.slice(1)),
    { logsource: { product: "a" }, rules: () => rules.slice(0, 1) },
  ]);
  expect(idsOf(matcher.match({ f: "a" }, { product: "a" }))).toEqual(["2", "3"]);
});

test("no match is one frozen empty list", () => {
  const matcher = createMatcher(groupByLogsource([ruleOf("1", { product: "a" })]));
  for (const product of ["a", "b"]) expect(Object.isFrozen(matcher.match({}, { product }))).toBe(true);
});

import { describe, expect, test } from "vitest";

import { compile, compileAt } from "../compiling.testing.ts";
import { named } from "../language/correlation.testing.ts";
import { limits } from "../language/limits.ts";

interface Changes {
  readonly id?: string;
  readonly rules?: string;
  readonly logsource?: string;
  readonly body?: string;
  readonly more?: string;
}

/** A filter that leaves out events of the host `build`; what stands in `filter` begins in line 5. */
function filter({
  id = "f",
  rules = "[a]",
  logsource = "{category: test}",
  body,
  more = "",
}: Changes = {}): string {
  const own = body ?? "  selection: {host: build}\n  condition: not selection\n";
  return `title: Filter ${id}\nid: ${id}\nlogsource: ${logsource}\nfilter:\n  rules: ${rules}\n${own}${more}`;
}

const matched = (texts: readonly string[], event: object, now?: number) =>
  compileAt(now, ...texts)
    .ruleSet.match(event, { category: "test" })
    .map(({ id }) => id);

describe("a filter", () => {
  test("is added to the rule's condition as it is written", () => {
    expect(matched([named("a"), filter()], { a: "a", host: "build" })).toEqual([]);
    expect(matched([named("a"), filter()], { a: "a", host: "other" })).toEqual(["id-a"]);
    expect(matched([named("a"), filter()], { a: "a" })).toEqual(["id-a"]);
    const positive = filter({ body: "  selection: {host: build}\n  condition: selection\n" });
    expect(matched([named("a"), positive], { a: "a", host: "other" })).toEqual([]);
  });

  test.for([
    ["a name", "[a]"],
    ["an id", "[id-a]"],
    ["a single text", "a"],
    ["any", "any"],
    ["a list with any", "[any]"],
    ["both id and name", "[a, id-a]"],
  ])("names rules by %s", ([, rules]) => {
    const { ruleSet, problems } = compile(named("a"), filter({ rules }));
    expect(problems).toEqual([]);
    expect(ruleSet.rules[0]?.filters).toEqual(["f"]);
  });

  test("leaves other rules alone", () => {
    const { rules } = compile(named("a"), named("b"), filter()).ruleSet;
    expect(rules[1]).toEqual(compile(named("a"), named("b")).ruleSet.rules[1]);
    expect(rules[1]).not.toHaveProperty("filters");
  });

  test("may stand before the rule, in another file or the same", () => {
    expect(matched([filter(), named("a")], { a: "a", host: "build" })).toEqual([]);
    expect(matched([`${filter()}---\n${named("a")}`], { a: "a", host: "build" })).toEqual([]);
  });

  test("has names of its own, also in patterns", () => {
    const rule = named("a").replace(
      "  s: {a: a}\n  condition: s",
      "  selection_1: {a: a}\n  condition: 1 of selection_*",
    );
    const own = filter({
      body: "  selection_1: {host: build}\n  selection_2: {host: test}\n  condition: not 1 of selection_*\n",
    });
    const { ruleSet, problems } = compile(rule, own);
    expect(problems).toEqual([]);
    const [detection] = ruleSet.rules.map((one) => one.detection);
    expect(detection).toMatchObject({
      kind: "and",
      of: [
        { kind: "named", name: "selection_1" },
        {
          kind: "named",
          name: "f",
          of: { kind: "not", of: { of: [{ name: "f/selection_1" }, { name: "f/selection_2" }] } },
        },
      ],
    });
  });

  test("changes the revision of its rules, and the hash of the set", () => {
    const [plain, filtered] = [compile(named("a")).ruleSet, compile(named("a"), filter()).ruleSet];
    expect(filtered.rules[0]?.revision).not.toBe(plain.rules[0]?.revision);
    expect(filtered.hash).not.toBe(plain.hash);
  });

  test("that is added to another commutes", () => {
    const other = filter({ id: "g", body: "  selection: {host: test}\n  condition: not selection\n" });
    const revision = (...texts: readonly string[]) =>
      compile(named("a"), ...texts).ruleSet.rules[0]?.revision;
    expect(revision(filter(), other)).toBe(revision(other, filter()));
  });

  test("may have a condition that is a list, and keywords", () => {
    const own = filter({ body: "  selection: [harmless]\n  condition: [not selection]\n" });
    expect(matched([named("a"), own], { a: "a", x: "HARMLESS things" })).toEqual([]);
  });
});

describe("the log source of a filter", () => {
  const rule = named("a").replace("{category: test}", "{category: test, product: p}");
  test.for([
    ["the same", "{category: test, product: p}", true],
    ["a part", "{product: P}", true],
    ["another", "{category: other}", false],
    ["more than the rule states", "{category: test, product: p, service: s}", false],
    ["a custom attribute the rule does not state", "{category: test, vendor: v}", false],
  ] as const)("%s: %s", ([, logsource, applies]) => {
    const { ruleSet, problems } = compile(rule, filter({ logsource, rules: "any" }));
    expect(ruleSet.rules[0]?.filters).toEqual(applies ? ["f"] : undefined);
    expect(problems.map(({ code, severity }) => [code, severity])).toEqual(
      applies ? [] : [["FILTER_WITHOUT_EFFECT", "warning"]],
    );
  });
});

test("a rule that is named but is of another log source is a warning at its place", () => {
  const other = named("b").replace("category: test", "category: other");
  const { ruleSet, problems } = compile(named("a"), other, filter({ rules: "[a, b]" }));
  expect(problems).toMatchObject([
    { code: "FILTER_WITHOUT_EFFECT", severity: "warning", file: "3.yml", line: 5, column: 14 },
  ]);
  expect(ruleSet.rules.map((rule) => rule.filters)).toEqual([["f"], undefined]);
});

describe("a filter that expires", () => {
  const until = (expires: string) =>
    filter({ more: `auditflow: {owner: ana, reason: tests, expires: ${expires}}\n` });
  const moment = Date.parse("2026-12-31T00:00:00Z");

  test.for([
    ["a date is its first moment in UTC", "2026-12-31", moment],
    ["a date-time", "2026-12-31T18:30:00Z", moment + 18.5 * 3_600_000],
    ["a date-time with an offset", "2026-12-31T02:00:00+02:00", moment],
    ["fractions of a second", "2026-12-31T00:00:00.5Z", moment + 500],
  ] as const)("%s", ([, expires, expected]) => {
    expect(compile(named("a"), until(expires)).expiresAt).toBe(expected);
  });

  test("applies until then, and is a warning from then on", () => {
    const event = { a: "a", host: "build" };
    const texts = [named("a"), until("2026-12-31")];
    expect(matched(texts, event, moment - 1)).toEqual([]);
    expect(matched(texts, event, moment)).toEqual(["id-a"]);
    expect(compileAt(moment - 1, ...texts).problems).toEqual([]);
    const { problems, report, expiresAt } = compileAt(moment, ...texts);
    expect(problems).toMatchObject([
      { code: "FILTER_EXPIRED", severity: "warning", file: "2.yml", line: 8, column: 49 },
    ]);
    expect(report).toMatchObject({ documents: 2, loaded: 2, filters: 1, refused: 0 });
    expect(expiresAt).toBeUndefined();
  });

  test("without a clock never does", () => {
    expect(matched([named("a"), until("2001-01-01")], { a: "a", host: "build" })).toEqual([]);
  });

  test("the next one tells when to compile again", () => {
    const later = until("2027-06-01").replace("id: f", "id: g");
    const texts = [named("a"), later, until("2026-12-31")];
    expect(compileAt(moment - 1, ...texts).expiresAt).toBe(moment);
    expect(compileAt(moment, ...texts).expiresAt).toBe(Date.parse("2027-06-01"));
    expect(compile(named("a"), filter()).expiresAt).toBeUndefined();
  });

  test.for([
    "tomorrow",
    "2026-02-30",
    "2026-13-01",
    "31.12.2026",
    "'2026-12-31 18:00'",
    "2026-12-31T18:00",
    "5",
  ])("at no moment is refused: %s", (expires) => {
    const { problems } = compile(named("a"), until(expires));
    expect(problems).toMatchObject([{ code: "FILTER_INVALID", severity: "error", file: "2.yml", line: 8 }]);
  });
});

describe("a filter is refused, and nothing else", () => {
  test.for([
    ["that names an unknown rule", { rules: "[a, b]" }, "FILTER_RULE_UNKNOWN", 5, 14],
    ["that names nothing", { rules: "[]" }, "FILTER_INVALID", 5, 10],
    ["that names a number", { rules: "5" }, "FILTER_INVALID", 5, 10],
    ["without condition", { body: "  s: {a: 1}\n" }, "RULE_ATTRIBUTE_MISSING", 5, 3],
    ["without a selection", { body: "  condition: not s\n" }, "RULE_DETECTION_INVALID", 5, 3],
    [
      "with an unknown selection",
      { body: "  s: {a: 1}\n  condition: not t\n" },
      "RULE_IDENTIFIER_UNKNOWN",
      7,
      18,
    ],
    [
      "that speaks of its rules",
      { body: "  s: {a: 1}\n  condition: not rules\n" },
      "RULE_IDENTIFIER_UNKNOWN",
      7,
      18,
    ],
    [
      "with an unknown modifier",
      { body: "  s: {'a|b': 1}\n  condition: s\n" },
      "RULE_MODIFIER_UNKNOWN",
      6,
      7,
    ],
    ["without attributes of a log source", { logsource: "{}" }, "RULE_LOGSOURCE_INVALID", 3, 12],
    ["with the id of a rule", { id: "id-a" }, "RULE_ID_DUPLICATE", 1, 1],
    ["that is a rule too", { more: "detection: {s: {a: 1}, condition: s}\n" }, "RULE_DOCUMENT_INVALID", 4, 1],
    [
      "with an owner that is no text",
      { more: "auditflow: {owner: [ana]}\n" },
      "RULE_ATTRIBUTE_INVALID",
      8,
      20,
    ],
  ] as const)("one %s", ([, changes, code, line, column]) => {
    const { ruleSet, problems, report } = compile(named("a"), filter(changes));
    expect(problems).toMatchObject([{ code, severity: "error", file: "2.yml", line, column }]);
    expect(ruleSet.rules).toEqual(compile(named("a")).ruleSet.rules);
    expect(report).toMatchObject({ documents: 2, loaded: 1, filters: 0, refused: 1 });
  });

  test("one that names a correlation: filters are for rules", () => {
    const correlation =
      "title: C\nname: c\ncorrelation: {type: event_count, rules: a, timespan: 1m, condition: {gte: 2}}\n";
    const { problems } = compile(named("a"), correlation, filter({ rules: "[c]" }));
    expect(problems).toMatchObject([{ code: "FILTER_RULE_UNKNOWN", file: "3.yml", line: 5, column: 11 }]);
  });

  test("one that is too many for a rule is added to none", () => {
    const filters = Array.from({ length: limits.filtersPerRule }, (_, index) => filter({ id: `f${index}` }));
    const { ruleSet, problems } = compile(
      named("b"),
      named("a"),
      ...filters,
      filter({ id: "last", rules: "any" }),
    );
    expect(problems).toMatchObject([{ code: "RULE_LIMIT_EXCEEDED", file: "103.yml", line: 1, column: 1 }]);
    expect(ruleSet.rules.map((rule) => rule.filters?.length)).toEqual([undefined, limits.filtersPerRule]);
  });

  test("an identifier its condition does not use is a warning", () => {
    const body = "  s: {a: 1}\n  spare: {b: 1}\n  condition: not s\n";
    const { problems } = compile(named("a"), filter({ body }));
    expect(problems).toMatchObject([
      { code: "RULE_IDENTIFIER_UNUSED", severity: "warning", file: "2.yml", line: 7, column: 3 },
    ]);
  });
});

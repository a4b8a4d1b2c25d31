import * as fc from "fast-check";
import { expect, test } from "vitest";

import { compile } from "./compiling.testing.ts";

/** One document of every kind, with most of what the language has. */
const stream = `action: global
title: Given
logsource: {product: windows, category: process_creation, vendor: acme}
---
id: one
name: one
detection:
  selection_a: {'a|contains|all': [x, y], 'b|re|i': '^(a|b)+$', c: [1, 1.10]}
  selection_b: ['word', {'|all': [p, q]}, {'d|cidr': 10.0.0.0/8, 'e|fieldref|endswith': f}]
  _hidden: &anchor {'g|windash|contains': '-x /y', 'h|hour|lt': 5, 'i|exists': true}
  filter: {'j|wide|base64offset|contains': foo, 'k|neq': null, 'l|gte': 5}
  condition: [1 of selection_* and not (filter or _hidden), all of them]
---
action: repeat
id: two
name: two
detection: {condition: not filter}
---
title: Filter
logsource: {product: windows}
filter:
  rules: [one, two]
  selection: {m: n}
  condition: not selection
auditflow: {owner: ana, expires: 2026-12-31}
---
title: Count
name: count
correlation:
  type: value_count
  rules: [one, two]
  group-by: [ip, user]
  aliases: {ip: {one: src, two: dst}}
  timespan: 5m
  condition: {field: [a, b], gte: 3, lt: 9}
auditflow: {window: {type: session, gap: 1m}}
---
title: Chain
correlation:
  type: temporal_ordered
  rules: [count, one, two]
  timespan: 1M
  condition: count and one and not two
generate: true
`;

const characters = "[]{}()'\"|:,-*&?!#%@`\\ \n\t~>.0".split("");
const words = [
  ...characters,
  "---\n",
  "null",
  "true",
  "- ",
  ": ",
  "not ",
  " and ",
  "1 of ",
  "all of them",
  "|re",
  "|all",
  "*anchor",
  "&a",
  "__proto__",
  "constructor",
  "<<: ",
  "!!binary ",
  "action: global\n",
  "(?i)",
  "9".repeat(20),
  "\u0000",
  "\uD800",
  "İ",
];

/** Cuts, repeats and inserts, one after the other. */
const mutation = fc.tuple(
  fc.nat(),
  fc.nat(30),
  fc.constantFrom("cut", "repeat", "insert", "insert"),
  fc.constantFrom(...words),
);
const mutated = fc.array(mutation, { minLength: 1, maxLength: 6 }).map((mutations) =>
  mutations.reduce((text, [place, length, kind, piece]) => {
    const at = text.length === 0 ? 0 : place % text.length;
    const [before, part, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
    if (kind === "cut") return before + after;
    return kind === "repeat" ? before + part + part + after : before + piece + part + after;
  }, stream),
);

/** What is not as it should be after a text was compiled; nothing. */
function faultsOf(text: string): readonly string[] {
  const { report, problems, ruleSet } = compile(text);
  const lines = text.split("\n").length;
  for (const { logsource } of ruleSet.rules) ruleSet.match({ a: "x", b: [{ c: null }], d: 1 }, logsource);
  const misplaced = problems.filter(({ line, column }) => line < 1 || line > lines + 1 || column < 1);
  const long = problems.filter(({ message }) => message.length > 5000);
  const sums = [
    report.loaded + report.refused - report.documents,
    report.rules + report.correlations - ruleSet.size,
  ];
  return [
    ...[...misplaced, ...long].map(({ message }) => message),
    ...sums.filter((sum) => sum !== 0).map(String),
  ];
}

test("the stream itself has nothing wrong, so that faults of others are reached", () => {
  const { problems } = compile(stream);
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
});

test("no text makes the compiler throw, and every report adds up", { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(mutated, (text) => {
      expect(faultsOf(text)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("nor does any text at all", { timeout: 120_000 }, () => {
  const word = fc.constantFrom(
    ...words,
    "title: t\n",
    "detection:\n",
    "  condition: s\n",
    "correlation:\n",
    "x",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (parts) => {
      expect(faultsOf(parts.join(""))).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

test("a broken document leaves the documents of other files as they are", { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(mutated, (text) => {
      const alone =
        "title: Alone\nid: alone\nlogsource: {product: x}\ndetection: {s: {a: 1}, condition: s}\n";
      const { ruleSet } = compile(text, alone);
      expect(ruleSet.rules.some(({ id, file }) => id === "alone" && file === "2.yml")).toBe(true);
    }),
    { numRuns: 200 },
  );
});

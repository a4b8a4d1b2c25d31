import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Expression, Pattern } from "../language/expression.ts";
import type { Logsource } from "../language/logsource.ts";
import { compileRuleSet } from "../compile.ts";
import { parseDocuments } from "../language/document.ts";
import { compile } from "../compiling.testing.ts";

/** The plain reading of the specification: interprets the tree, scans every rule, shares no code. */
function holds(expression: Expression, event: object): boolean {
  switch (expression.kind) {
    case "and":
      return expression.of.every((part) => holds(part, event));
    case "or":
      return expression.of.some((part) => holds(part, event));
    case "not":
      return !holds(expression.of, event);
    case "named":
      return holds(expression.of, event);
    case "null": {
      const values = valuesOf(event, expression.field.split("."));
      return values.length === 0 || values.includes(null);
    }
    case "exists":
      return valuesOf(event, expression.field.split(".")).length > 0 === expression.expected;
    case "keywords":
      return expression.tests.some((one) =>
        leaves(event).some((leaf) => one.kind === "pattern" && like(one.pattern, leaf)),
      );
    case "field": {
      const values = valuesOf(event, expression.field.split("."));
      const passes = expression.tests.map((one) =>
        values.some((value) => one.kind === "pattern" && like(one.pattern, value)),
      );
      return expression.linkage === "any" ? passes.some(Boolean) : passes.every(Boolean);
    }
    default:
      return expression satisfies never;
  }
}

function like(pattern: Pattern, value: unknown): boolean {
  if (value === null) return false;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const source = pattern.map((part) => {
    if (part === "many") return "[^]*";
    return part === "one" ? "[^]" : part.literal.replaceAll(/[^a-z0-9]/gi, String.raw`\$&`);
  });
  return new RegExp(`^${source.join("")}$`, "i").test(text);
}

/** Values at a path through objects and arrays; test events have no dotted keys and no empty arrays. */
function valuesOf(value: unknown, path: readonly string[]): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap((member) => valuesOf(member, path));
  const [key, ...rest] = path;
  if (key === undefined) return [value];
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return [];
  return valuesOf((value as Record<string, unknown>)[key], rest);
}

function leaves(value: unknown): readonly unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(leaves) : [value];
}

const valueText = fc.string({
  unit: fc.constantFrom("a", "b", "A", "1", "\\", "*", "?", "\n"),
  maxLength: 5,
});
const scalar = fc.oneof(valueText, fc.integer({ min: 0, max: 11 }), fc.boolean());
const name = fc.constantFrom("f", "g", "h");
const field = fc.oneof(
  name,
  fc.tuple(name, name).map((parts) => parts.join(".")),
);
const attribute = (weights: readonly [number, number, number]) =>
  fc.oneof(
    { weight: weights[0], arbitrary: fc.constant(undefined) },
    { weight: weights[1], arbitrary: fc.constant("x") },
    { weight: weights[2], arbitrary: fc.constant("y") },
  );
const logsource = (weights: readonly [number, number, number]) =>
  fc.record({ product: attribute(weights), category: attribute(weights), service: attribute(weights) });
const stated = logsource([3, 2, 1]);
const asserted = logsource([1, 6, 2]);

const leaf = fc.oneof(scalar, fc.constant(null));
const value = fc.oneof(leaf, fc.array(leaf, { minLength: 1, maxLength: 3 }));
const inner = fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true });
const nested = fc.oneof(value, inner, fc.array(inner, { minLength: 1, maxLength: 2 }));
const event = fc.dictionary(name, nested, { maxKeys: 3, noNullPrototype: true });

const modifiers = fc.constantFrom(
  "",
  "|contains",
  "|startswith",
  "|endswith",
  "|contains|all",
  "|endswith|all",
);
const item = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.tuple(field, modifiers).map((p) => p.join("")),
      fc.array(scalar, { minLength: 1, maxLength: 3 }),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(field, fc.constant(null)) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      field.map((f) => `${f}|exists`),
      fc.boolean(),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant("|all"), fc.array(scalar, { minLength: 1, maxLength: 2 })) },
);
const map = fc.array(item, { minLength: 1, maxLength: 2 }).map((items) => Object.fromEntries(items));
const search = fc.oneof(
  map,
  fc.array(map, { minLength: 1, maxLength: 2 }),
  fc.array(scalar, { minLength: 1, maxLength: 2 }),
);
const condition = fc.constantFrom(
  "s_a",
  "not s_a",
  "s_a and not s_b",
  "s_a or s_b and c",
  "1 of s_*",
  "all of s_*",
  "not 1 of them",
  "all of them",
  "not (s_a or not c)",
  "(s_a or s_b) and (s_b or c)",
  "any of them and not c",
);
const ruleText = fc
  .record({ logsource: stated, s_a: search, s_b: search, c: search, condition })
  .filter((parts) => Object.values(parts.logsource).some((part) => part !== undefined))
  .map(({ logsource, ...detection }) => ({ title: "t", logsource, detection }));

function applies(rule: Logsource, source: Logsource): boolean {
  return (["product", "category", "service"] as const).every(
    (key) => rule[key] === undefined || rule[key] === source[key],
  );
}

test("the indexed, compiled rules answer what a plain scan of their trees answers", () => {
  let matched = 0;
  fc.assert(
    fc.property(fc.array(ruleText, { maxLength: 6 }), event, asserted, (rules, fields, source) => {
      const documents = rules.map((one, i) => ({
        file: `${i}`,
        text: JSON.stringify({ ...one, id: `${i}` }),
      }));
      const { ruleSet, problems } = compileRuleSet(documents, { hash: String });
      expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
      const scanned = ruleSet.rules.filter(
        (one) => applies(one.logsource, source) && holds(one.detection, fields),
      );
      expect(ruleSet.match(fields, source).map(({ id }) => id)).toEqual(scanned.map(({ id }) => id));
      matched += scanned.length;
    }),
    { numRuns: 2000 },
  );
  // A property over rules that never match would prove nothing.
  expect(matched).toBeGreaterThan(200);
});

const words = fc.constantFrom(
  ..."title logsource detection condition correlation product 1 of them and or not ( ) | & * ? \\".split(" "),
  ...": - { } [ ] , ' \" &a *a !! # x|contains <<".split(" "),
  ": ",
  "- ",
  "\n",
  "\n  ",
  "---\n",
  ">-\n",
  "\t",
  "\0",
  "\ud800",
);
const noise = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(words, { maxLength: 40 }).map((parts) => parts.join("")),
);

test("no text makes the parser throw; what it refuses it reports", () => {
  fc.assert(
    fc.property(noise, (input) => {
      const { ruleSet, problems } = compile(input);
      for (const { line, column, message } of problems) {
        expect(Math.min(line, column)).toBeGreaterThanOrEqual(1);
        expect(message).not.toBe("");
      }
      const documents = parseDocuments(input).length;
      const errors = problems.filter(({ severity }) => severity === "error").length;
      expect(ruleSet.rules.length + ruleSet.correlations.length + errors).toBe(documents);
    }),
    { numRuns: 2000 },
  );
});

test("no condition makes the parser throw", () => {
  const part = fc.constantFrom(..."a b a_1 not and or ( ) 1 all any of them a* _* | AND 2 '".split(" "));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const detection = { a: { x: 1 }, b: { x: 2 }, a_1: { x: 3 }, condition: parts.join(" ") };
      const { ruleSet, problems } = compile(
        JSON.stringify({ title: "t", logsource: { product: "x" }, detection }),
      );
      const errors = problems.filter(({ severity }) => severity === "error");
      expect(ruleSet.rules.length + errors.length).toBe(1);
    }),
    { numRuns: 2000 },
  );
});

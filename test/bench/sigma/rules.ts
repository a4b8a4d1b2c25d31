import { createHash } from "node:crypto";

import { compileRuleSet } from "../../../functions/analysis/sigma/compile.ts";
import type { Expression, Test } from "../../../functions/analysis/sigma/language/expression.ts";
import type { Rule } from "../../../functions/analysis/sigma/rule.ts";
import { readSigmaCorpus } from "../../support/sigma-corpus.ts";
import type { Random } from "./random.ts";

/** A log source of the benchmark. */
export interface Source {
  readonly name: "cloudtrail" | "kubernetes" | "github";
  readonly logsource: { readonly product: string; readonly service: string };
}

export const sources: readonly Source[] = [
  { name: "cloudtrail", logsource: { product: "aws", service: "cloudtrail" } },
  { name: "kubernetes", logsource: { product: "kubernetes", service: "audit" } },
  { name: "github", logsource: { product: "github", service: "audit" } },
];

/** The rules of a folder or a .tar.gz, such as a release of SigmaHQ/sigma. */
export function readRules(path: string): readonly Rule[] {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  return compileRuleSet(readSigmaCorpus(path), { hash }).ruleSet.rules;
}

/** So many varied rules look for what these events hold; however many rules there are. */
const mostSeen = 10;

/**
 * As many rules as are wanted, out of the few there are of one log source: the rules themselves first,
 * then copies whose texts are varied. Most copies look for texts nobody writes (the number of the copy is
 * added to every literal, so all literals stay as long and as different as real ones). The first ten
 * copies look for values that do occur in the field in these events, drawn at random, so that there are
 * candidates and matches, as many in a large set as in a small one.
 */
export function vary(
  rules: readonly Rule[],
  count: number,
  { values, random }: { readonly values: ReadonlyMap<string, readonly string[]>; readonly random: Random },
): readonly Rule[] {
  return Array.from({ length: count }, (_, number): Rule => {
    const rule = rules[number % rules.length];
    if (!rule) throw new RangeError("There are no rules to vary.");
    const copy = Math.floor(number / rules.length);
    if (copy === 0) return rule;
    const detection = mapTests(rule.detection, (test, field) => {
      const seen = number < rules.length + mostSeen ? values.get(field) : undefined;
      return varyTest(test, seen ? random.pick(seen) : `${copy}`, seen !== undefined);
    });
    return { ...rule, id: `${rule.id}-${copy}`, detection };
  });
}

function varyTest(test: Test, text: string, replaces: boolean): Test {
  if (test.kind === "any") return { ...test, of: test.of.map((one) => varyTest(one, text, replaces)) };
  if (test.kind !== "pattern") return test;
  if (replaces && test.pattern.length === 1) return { ...test, pattern: [{ literal: text }] };
  const pattern = test.pattern.map((part) =>
    typeof part === "object"
      ? { literal: replaces ? text.slice(0, 12) || "-" : `${part.literal}${text}` }
      : part,
  );
  return { ...test, pattern };
}

function mapTests(expression: Expression, change: (test: Test, field: string) => Test): Expression {
  switch (expression.kind) {
    case "and":
    case "or":
      return { ...expression, of: expression.of.map((part) => mapTests(part, change)) };
    case "not":
    case "named":
      return { ...expression, of: mapTests(expression.of, change) };
    case "field":
      return { ...expression, tests: expression.tests.map((test) => change(test, expression.field)) };
    case "keywords":
      return { ...expression, tests: expression.tests.map((test) => change(test, "")) };
    case "null":
    case "exists":
      return expression;
    default:
      return expression satisfies never;
  }
}

/** Detections for where no corpus is given: an action of a service, as most rules for audit logs are. */
export function inventRules(values: ReadonlyMap<string, readonly string[]>, count: number): readonly Rule[] {
  const fields = [...values.keys()].filter((field) => (values.get(field)?.length ?? 0) > 1);
  const valueOf = (field: string, number: number) => {
    const seen = values.get(field) ?? [];
    return seen[number % seen.length] ?? "";
  };
  const equals = (field: string, text: string): Expression => ({
    kind: "field",
    field,
    linkage: "any",
    tests: [{ kind: "pattern", pattern: [{ literal: text }], cased: false }],
  });
  return Array.from({ length: count }, (_, number): Rule => {
    const first = fields[number % fields.length] ?? "";
    const second = fields[(number * 7 + 3) % fields.length] ?? "";
    return {
      kind: "rule",
      id: `invented-${number}`,
      title: `Invented ${number}`,
      file: "",
      line: 1,
      logsource: {},
      detection: {
        kind: "and",
        of: [equals(first, `${valueOf(first, number)}${number}`), equals(second, valueOf(second, number))],
      },
      revision: "",
      silent: false,
    } as unknown as Rule;
  });
}

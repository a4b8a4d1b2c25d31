import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { readSigmaCorpus, sigmaCorpus } from "../../../../test/support/sigma-corpus.ts";
import { compileRuleSet } from "../compile.ts";
import type { Expression, Test } from "../language/expression.ts";
import { holds } from "./plain.ts";
import { createRuleIndex } from "./rule-index.ts";

/** A folder of events as .ndjson. */
const realEvents = process.env["AUDITFLOW_REAL_EVENTS"];

/** An event that a rule is likely to hold for: every positive item gets a value that passes it, `shift` chooses which. */
function satisfy(expression: Expression, into: Record<string, unknown>, shift: number): void {
  switch (expression.kind) {
    case "and":
      for (const part of expression.of) satisfy(part, into, shift);
      break;
    case "or": {
      const part = expression.of[shift % expression.of.length];
      if (part) satisfy(part, into, shift);
      break;
    }
    case "named":
      satisfy(expression.of, into, shift);
      break;
    case "field": {
      const tests =
        expression.linkage === "all" ? expression.tests : [expression.tests[shift % expression.tests.length]];
      const texts = tests.map((one) => (one ? textFor(one, shift) : ""));
      const before = into[expression.field];
      into[expression.field] = typeof before === "string" ? `${texts.join(" ")}${before}` : texts.join(" ");
      break;
    }
    case "keywords":
      into["message"] = `x ${expression.tests.map((one) => textFor(one, shift)).join(" ")} x`;
      break;
    case "exists":
      if (expression.expected) into[expression.field] ??= "x";
      break;
    case "not":
    case "null":
      break;
    default:
      expression satisfies never;
  }
}

function textFor(one: Test, shift: number): string {
  if (one.kind === "any") return one.of[0] ? textFor(one.of[0], shift) : "";
  if (one.kind === "cidr") return one.bytes.length === 4 ? one.bytes.join(".") : "fe80::1";
  if (one.kind === "compare") return `${one.operand + 1}`;
  if (one.kind === "regex") return one.source.replaceAll(/\\(.)/g, "$1");
  if (one.kind !== "pattern") return "1";
  const text = one.pattern
    .map((part) => (typeof part === "object" ? part.literal : part === "many" ? "z".repeat(shift % 3) : "q"))
    .join("");
  return shift % 2 === 0 ? text : text.toUpperCase();
}

/** One letter less, more or other somewhere: what nearly holds is where an index goes wrong. */
function mutate(fields: Record<string, unknown>, seed: number): Record<string, unknown> {
  const names = Object.keys(fields);
  const name = names[seed % names.length] ?? "";
  const value = String(fields[name]);
  const at = (seed * 31) % (value.length + 1);
  const changed = [
    value.slice(0, at) + value.slice(at + 1),
    `${value}x`,
    `${value.slice(0, at)}é${value.slice(at)}`,
    [value, "other"],
  ];
  return { ...fields, [name]: changed[seed % changed.length] };
}

test.skipIf(sigmaCorpus === undefined)(
  "the index finds in the whole corpus (AUDITFLOW_SIGMA_CORPUS) what a plain reading finds",
  { timeout: 600_000 },
  () => {
    const rules = compileRuleSet(readSigmaCorpus(sigmaCorpus ?? ""), { hash: String }).ruleSet.rules;
    expect(rules.length).toBeGreaterThan(100);
    const made = rules.flatMap(({ detection }, i) => {
      const fields: Record<string, unknown> = {};
      satisfy(detection, fields, i);
      return i % 24 === 0 ? [fields, mutate(fields, i), mutate(fields, i + 1)] : [];
    });
    const real =
      realEvents === undefined
        ? []
        : globSync("*.ndjson", { cwd: realEvents }).flatMap((file) =>
            readFileSync(join(realEvents, file), "utf8")
              .split("\n")
              .filter((line) => line !== "")
              .map((line) => JSON.parse(line) as object),
          );
    const index = createRuleIndex(rules);
    let matched = 0;
    for (const fields of [...made, ...real]) {
      const expected = rules.filter(({ detection }) => holds(detection, fields));
      expect(index.match(fields).map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      matched += expected.length;
    }
    process.stderr.write(
      `corpus: ${rules.length} rules, ${made.length + real.length} events, ${matched} matches, no difference\n`,
    );
    // Most made events hold what they were made for.
    expect(matched).toBeGreaterThan(made.length / 2);
  },
);

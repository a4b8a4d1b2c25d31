import { LogicEngine } from "json-logic-engine";
import { Engine, type NestedCondition } from "json-rules-engine";

import type { Expression, Test } from "../../../functions/analysis/sigma/language/expression.ts";
import type { Rule } from "../../../functions/analysis/sigma/rule.ts";

/** A text test every engine can be taught: how, and with what. */
interface Simple {
  readonly how: "equals" | "contains" | "startswith" | "endswith";
  readonly text: string;
}

/** Whether a rule is made of connectives and simple tests alone. */
export function isSimple({ detection }: Rule): boolean {
  const visit = (expression: Expression): boolean => {
    if (expression.kind === "and" || expression.kind === "or") return expression.of.every(visit);
    if (expression.kind === "not" || expression.kind === "named") return visit(expression.of);
    return expression.kind === "field" && expression.tests.every((test) => simpleOf(test) !== undefined);
  };
  return visit(detection);
}

function simpleOf(test: Test): Simple | undefined {
  if (test.kind !== "pattern" || test.cased) return undefined;
  const literals = test.pattern.filter((part) => typeof part === "object");
  const text = literals[0]?.literal.toLowerCase();
  if (text === undefined || literals.length > 1 || test.pattern.includes("one")) return undefined;
  const [first, last] = [test.pattern[0], test.pattern.at(-1)];
  if (first === "many") return { how: last === "many" ? "contains" : "endswith", text };
  return { how: last === "many" ? "startswith" : "equals", text };
}

const tests: Readonly<Record<Simple["how"], (value: string, text: string) => boolean>> = {
  equals: (value, text) => value === text,
  contains: (value, text) => value.includes(text),
  startswith: (value, text) => value.startsWith(text),
  endswith: (value, text) => value.endsWith(text),
};

/** An event as these engines want it: one level, dotted names, lower case, arrays as lists of texts. */
export function flatten(event: unknown): Readonly<Record<string, readonly string[]>> {
  const flat: Record<string, string[]> = {};
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const member of value) visit(member, path);
    else if (typeof value === "object" && value !== null) {
      if (path !== "") (flat[path] ??= []).push(JSON.stringify(value).toLowerCase());
      for (const [key, inner] of Object.entries(value)) visit(inner, path === "" ? key : `${path}.${key}`);
    } else if (value !== null && value !== undefined) (flat[path] ??= []).push(textOf(value));
  };
  visit(event, "");
  return flat;
}

function textOf(value: unknown): string {
  return (typeof value === "string" ? value : JSON.stringify(value)).toLowerCase();
}

function passes(values: unknown, { how, text }: Simple): boolean {
  return (
    Array.isArray(values) && values.some((value) => typeof value === "string" && tests[how](value, text))
  );
}

/** json-rules-engine with the same rules: `all`, `any` and `not` over one operator. */
export function createJsonRules(rules: readonly Rule[]): (event: object) => Promise<readonly string[]> {
  const engine = new Engine([], { allowUndefinedFacts: true });
  engine.addOperator("sigma", (values: unknown, asked: Simple) => passes(values, asked));
  const condition = (expression: Expression): NestedCondition => {
    switch (expression.kind) {
      case "and":
        return { all: expression.of.map(condition) };
      case "or":
        return { any: expression.of.map(condition) };
      case "not":
        return { not: condition(expression.of) };
      case "named":
        return condition(expression.of);
      case "field": {
        const leaves = expression.tests.map((test) => ({
          fact: expression.field,
          operator: "sigma",
          value: simpleOf(test),
        }));
        return expression.linkage === "all" ? { all: leaves } : { any: leaves };
      }
      case "null":
      case "exists":
      case "keywords":
        throw new TypeError(`${expression.kind} is not simple.`);
      default:
        return expression satisfies never;
    }
  };
  for (const { id, detection } of rules)
    engine.addRule({ conditions: { all: [condition(detection)] }, event: { type: id } });
  return async (event) => (await engine.run(event)).events.map(({ type }) => type);
}

/** json-logic-engine with the same rules, each compiled. */
export function createJsonLogic(rules: readonly Rule[]): (event: object) => readonly string[] {
  const engine = new LogicEngine();
  engine.addMethod("sigma", {
    method: ([field, how, text]: readonly string[], context: Readonly<Record<string, unknown>>) =>
      passes(context[field ?? ""], { how: how as Simple["how"], text: text ?? "" }),
    deterministic: false,
  });
  const logic = (expression: Expression): unknown => {
    switch (expression.kind) {
      case "and":
      case "or":
        return { [expression.kind]: expression.of.map(logic) };
      case "not":
        return { "!": [logic(expression.of)] };
      case "named":
        return logic(expression.of);
      case "field": {
        const leaves = expression.tests.map((test) => {
          const { how = "equals", text = "" } = simpleOf(test) ?? {};
          return { sigma: [expression.field, how, text] };
        });
        return { [expression.linkage === "all" ? "and" : "or"]: leaves };
      }
      case "null":
      case "exists":
      case "keywords":
        throw new TypeError(`${expression.kind} is not simple.`);
      default:
        return expression satisfies never;
    }
  };
  const built = rules.map(({ id, detection }) => ({ id, holds: engine.build(logic(detection)) }));
  return (event) => built.flatMap(({ id, holds }) => (holds(event) === true ? [id] : []));
}

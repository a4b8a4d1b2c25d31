import type { Correlation, CorrelationCondition, Referred, SeenCondition } from "../language/correlation.ts";
import { limits } from "../language/limits.ts";
import type { ParsedCorrelation } from "../language/parse-correlation.ts";
import { type Position, RuleError } from "../language/problem.ts";
import { isSequence, resolveSeen, rulesOf, seenAtLeast } from "../language/seen.ts";
import { canonicalCorrelation } from "../revision.ts";
import type { Problems } from "./problems.ts";

/** A rule or correlation that is in force, as what refers to it sees it. */
export interface Target extends Referred {
  readonly revision: string;
  /** How many correlations follow on each other; 0 for a rule. */
  readonly height: number;
}

export interface ResolveContext {
  readonly hash: (text: string) => string;
  readonly problems: Problems;
  /** What a name of this correlation stands for. */
  readonly find: (name: string) => Target | undefined;
}

/** Puts what a correlation refers to in the place of names; throws RuleError. */
export function resolveCorrelation(
  parsed: ParsedCorrelation,
  context: ResolveContext,
): Omit<Correlation, "silent"> & { readonly height: number } {
  const targets = targetsOf(parsed, context);
  const height = 1 + Math.max(...targets.map((target) => target.height));
  if (height > limits.chainLength) {
    const message = `More than ${limits.chainLength} correlations follow on each other`;
    throw invalid(message, { line: parsed.line, column: 1 });
  }
  const indexOf = (name: string): number | undefined => {
    const id = context.find(name)?.id;
    const index = targets.findIndex((target) => target.id === id);
    return index < 0 ? undefined : index;
  };
  const resolved = {
    ...parsed,
    refersTo: targets.map(({ kind, id }) => ({ kind, id })),
    aliases: aliasesOf(parsed, indexOf),
    condition: conditionOf(parsed, { indexOf, count: targets.length, problems: context.problems }),
  };
  const revisions = targets.map(({ revision }) => revision);
  return { ...resolved, revision: context.hash(canonicalCorrelation(resolved, revisions)), height };
}

/** In written order; what is named twice, by id and by name, counts once. */
function targetsOf({ refersTo, type }: ParsedCorrelation, { find }: ResolveContext): readonly Target[] {
  const targets = new Map<string, Target>();
  for (const { name, at } of refersTo) {
    const target = find(name);
    if (!target) {
      const message = `No rule or correlation in force has the id or name '${name}'.`;
      throw new RuleError("CORRELATION_RULE_UNKNOWN", message, at);
    }
    if (type === "temporal_ordered" && targets.has(target.id))
      throw invalid(`An order names each rule once, and '${name}' is named before`, at);
    targets.set(target.id, target);
  }
  return [...targets.values()];
}

type IndexOf = (name: string) => number | undefined;

/** Every alias is checked; those that `group-by` does not use have no effect. */
function aliasesOf({ aliases, groupBy }: ParsedCorrelation, indexOf: IndexOf): Correlation["aliases"] {
  const fields = new Map<string, Map<number, string>>();
  for (const { alias, rule, field } of aliases) {
    const index = indexOf(rule.name);
    if (index === undefined)
      throw invalid(`The alias '${alias}' names '${rule.name}', which is not among the rules`, rule.at);
    const own = fields.get(alias) ?? new Map<number, string>();
    if (own.has(index)) throw invalid(`The alias '${alias}' names the rule '${rule.name}' twice`, rule.at);
    fields.set(alias, own.set(index, field));
  }
  const used = [...fields].filter(([alias]) => groupBy.includes(alias));
  return Object.fromEntries(used.map(([alias, own]) => [alias, Object.fromEntries(own)]));
}

interface ConditionContext {
  readonly indexOf: IndexOf;
  /** How many rules there are. */
  readonly count: number;
  readonly problems: Problems;
}

function conditionOf(parsed: ParsedCorrelation, context: ConditionContext): CorrelationCondition {
  const { condition, type } = parsed;
  if (condition.kind === "number") return condition;
  if (condition.kind === "rules") {
    return { kind: "seen", of: seenOf(condition, type === "temporal_ordered", context.count) };
  }
  const names = parsed.refersTo.map(({ name }) => name);
  const seen = resolveSeen(condition.condition, { names, indexOf: context.indexOf });
  if (type === "temporal_ordered" && !isSequence(seen)) {
    throw invalid(
      "An order can be asked of 'a and b and not c' only, with one rule at least that is seen",
      condition.at,
    );
  }
  warnUnused(parsed, seen, context);
  return { kind: "seen", of: seen };
}

function seenOf(
  { least, at }: { readonly least?: number | undefined; readonly at: Position },
  isOrdered: boolean,
  count: number,
): SeenCondition {
  if (least !== undefined && least > count) throw invalid(`There are only ${count} rules to be seen`, at);
  if (isOrdered && least !== undefined && least < count)
    throw invalid("An order is of all rules; leave the number out", at);
  const seen = seenAtLeast(least ?? count, count);
  if (seen) return seen;
  throw invalid(
    `There are too many ways to see ${least} of ${count} rules; write the condition as a text`,
    at,
  );
}

function warnUnused(parsed: ParsedCorrelation, seen: SeenCondition, context: ConditionContext): void {
  const used = rulesOf(seen);
  for (const { name, at } of parsed.refersTo) {
    const index = context.indexOf(name);
    if (index === undefined || used.has(index)) continue;
    const message = `The condition does not use the rule '${name}'.`;
    context.problems.warn("RULE_IDENTIFIER_UNUSED", { file: parsed.file, ...at }, message);
  }
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("CORRELATION_INVALID", `${message}.`, at);
}

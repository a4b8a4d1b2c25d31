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
  const indexesOf = (name: string): readonly number[] => {
    const id = context.find(name)?.id;
    return targets.flatMap((target, index) => (target.id === id ? [index] : []));
  };
  const resolved = {
    ...parsed,
    refersTo: targets.map(({ kind, id }) => ({ kind, id })),
    aliases: aliasesOf(parsed, indexesOf),
    condition: conditionOf(parsed, { indexesOf, count: targets.length, problems: context.problems }),
  };
  const revisions = targets.map(({ revision }) => revision);
  return { ...resolved, revision: context.hash(canonicalCorrelation(resolved, revisions)), height };
}

/**
 * In written order. What is named twice, perhaps by id and by name, counts once; but in an order it stands
 * for another event each time (`a, a, b`), unless a text speaks of it by name.
 */
function targetsOf(
  { refersTo, type, condition }: ParsedCorrelation,
  { find }: ResolveContext,
): readonly Target[] {
  const isOrdered = type === "temporal_ordered";
  const targets: Target[] = [];
  for (const { name, at } of refersTo) {
    const target = find(name);
    if (!target) {
      const message = `No rule or correlation in force has the id or name '${name}'.`;
      throw new RuleError("CORRELATION_RULE_UNKNOWN", message, at);
    }
    const isNew = !targets.includes(target);
    if (isOrdered && !isNew && condition.kind === "text")
      throw invalid(`A condition cannot tell '${name}' from itself, and it is named before`, at);
    if (isOrdered || isNew) targets.push(target);
  }
  return targets;
}

/** The positions of a rule among those referred to: several only in an order that names it several times. */
type IndexesOf = (name: string) => readonly number[];

/** Every alias is checked; those that `group-by` does not use have no effect. */
function aliasesOf({ aliases, groupBy }: ParsedCorrelation, indexesOf: IndexesOf): Correlation["aliases"] {
  const fields = new Map<string, Map<number, string>>();
  for (const { alias, rule, field } of aliases) {
    const indexes = indexesOf(rule.name);
    if (indexes.length === 0)
      throw invalid(`The alias '${alias}' names '${rule.name}', which is not among the rules`, rule.at);
    const own = fields.get(alias) ?? new Map<number, string>();
    if (indexes.some((index) => own.has(index)))
      throw invalid(`The alias '${alias}' names the rule '${rule.name}' twice`, rule.at);
    for (const index of indexes) own.set(index, field);
    fields.set(alias, own);
  }
  const used = [...fields].filter(([alias]) => groupBy.includes(alias));
  return Object.fromEntries(used.map(([alias, own]) => [alias, Object.fromEntries(own)]));
}

interface ConditionContext {
  readonly indexesOf: IndexesOf;
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
  const seen = resolveSeen(condition.condition, { names, indexOf: (name) => context.indexesOf(name)[0] });
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
    if (context.indexesOf(name).some((index) => used.has(index))) continue;
    const message = `The condition does not use the rule '${name}'.`;
    context.problems.warn("RULE_IDENTIFIER_UNUSED", { file: parsed.file, ...at }, message);
  }
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("CORRELATION_INVALID", `${message}.`, at);
}

import { limits } from "../language/limits.ts";
import type { ParsedFilter } from "../language/filter.ts";
import type { Logsource } from "../language/logsource.ts";
import { type Position, RuleError } from "../language/problem.ts";
import type { ParsedRule } from "../rule.ts";
import { createDirectory } from "./directory.ts";
import type { Problems } from "./problems.ts";

export interface FilterContext {
  readonly problems: Problems;
  /** Epoch milliseconds; without it nothing expires. */
  readonly now?: number | undefined;
}

export interface Filtered {
  /** In the same order, with the filters that apply in their detections. */
  readonly rules: readonly FilteredRule[];
  /** The filters that were understood, also those that have expired. */
  readonly loaded: readonly ParsedFilter[];
  /** When the next filter in force expires, in epoch milliseconds. */
  readonly expiresAt?: number | undefined;
}

export interface FilteredRule extends ParsedRule {
  readonly filters?: readonly string[];
}

/** Adds every filter to the rules it is for. A filter that names a rule that is not there is refused. */
export function applyFilters(
  rules: readonly ParsedRule[],
  filters: readonly ParsedFilter[],
  { problems, now }: FilterContext,
): Filtered {
  const find = createDirectory(rules);
  const applied = new Map<ParsedRule, readonly ParsedFilter[]>();
  const loaded = filters.filter((filter) =>
    problems.attempt(filter.file, () => {
      const meant = rulesMeant(filter, rules, find);
      if (isExpired(filter, now)) warnExpired(filter, problems);
      else addToAll(applied, targetsOf(filter, meant, problems), filter);
      return true;
    }),
  );
  const ends = loaded.flatMap((filter) => (isExpired(filter, now) ? [] : (filter.expiresAt ?? [])));
  return {
    rules: rules.map((rule) => withFilters(rule, applied.get(rule) ?? [])),
    loaded,
    expiresAt: ends.length > 0 ? Math.min(...ends) : undefined,
  };
}

/** A rule a filter means, and where it names it. */
interface Meant {
  readonly rule: ParsedRule;
  readonly at: Position;
}

function rulesMeant(
  { rules: named, line }: ParsedFilter,
  rules: readonly ParsedRule[],
  find: (name: string) => ParsedRule | undefined,
): readonly Meant[] {
  if (named === "any") return rules.map((rule) => ({ rule, at: { line, column: 1 } }));
  return named.map(({ name, at }) => {
    const rule = find(name);
    if (rule) return { rule, at };
    const message = `No rule in force has the id or name '${name}'; filters are for rules only.`;
    throw new RuleError("FILTER_RULE_UNKNOWN", message, at);
  });
}

/**
 * Those of a log source that states everything the filter's does. One that is named and does not is a
 * mistake, as is a filter for any rule that is for none.
 */
function targetsOf(filter: ParsedFilter, meant: readonly Meant[], problems: Problems): readonly ParsedRule[] {
  const { file, line, title, logsource } = filter;
  const targets = meant.filter(({ rule }) => states(rule.logsource, logsource));
  const code = "FILTER_WITHOUT_EFFECT";
  if (filter.rules !== "any") {
    for (const { rule, at } of meant.filter((one) => !targets.includes(one))) {
      const message = `The filter '${title}' leaves '${rule.title}' alone: it does not state the filter's log source.`;
      problems.warn(code, { file, ...at }, message);
    }
  } else if (targets.length === 0) {
    problems.warn(
      code,
      { file, line, column: 1 },
      `The filter '${title}' is for no rule: none states its log source.`,
    );
  }
  return [...new Set(targets.map(({ rule }) => rule))];
}

function states(own: Logsource, wanted: Logsource): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(own, name) && own[name] === value);
}

function isExpired({ expiresAt }: ParsedFilter, now: number | undefined): boolean {
  return now !== undefined && expiresAt !== undefined && expiresAt <= now;
}

function warnExpired({ file, title, expiresAt = 0, ...filter }: ParsedFilter, problems: Problems): void {
  const at = filter.expiresAtPlace ?? { line: filter.line, column: 1 };
  const moment = new Date(expiresAt).toISOString();
  problems.warn(
    "FILTER_EXPIRED",
    { file, ...at },
    `The filter '${title}' is not applied: it expired at ${moment}.`,
  );
}

/** Refuses a filter as a whole, before it is added to any of its rules. */
function addToAll(
  applied: Map<ParsedRule, readonly ParsedFilter[]>,
  targets: readonly ParsedRule[],
  filter: ParsedFilter,
): void {
  const full = targets.find((rule) => (applied.get(rule)?.length ?? 0) >= limits.filtersPerRule);
  if (full) {
    const message = `The rule '${full.title}' has ${limits.filtersPerRule} filters already.`;
    throw new RuleError("RULE_LIMIT_EXCEEDED", message, { line: filter.line, column: 1 });
  }
  for (const rule of targets) applied.set(rule, [...(applied.get(rule) ?? []), filter]);
}

function withFilters(rule: ParsedRule, filters: readonly ParsedFilter[]): FilteredRule {
  if (filters.length === 0) return rule;
  const parts = filters.map(({ id, detection }) => ({ kind: "named", name: id, of: detection }) as const);
  return {
    ...rule,
    detection: { kind: "and", of: [rule.detection, ...parts] },
    filters: filters.map(({ id }) => id),
  };
}

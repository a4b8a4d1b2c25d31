import { limits } from "../language/limits.ts";
import type { ParsedFilter } from "../language/filter.ts";
import type { Logsource } from "../language/logsource.ts";
import { RuleError } from "../language/problem.ts";
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
      const targets = targetsOf(filter, rules, find);
      if (isExpired(filter, now)) warnExpired(filter, problems);
      else if (targets.length === 0) warnIdle(filter, problems);
      else addToAll(applied, targets, filter);
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

/** The rules a filter is for: those it names, of a log source that states everything the filter's does. */
function targetsOf(
  { rules: named, logsource, file }: ParsedFilter,
  rules: readonly ParsedRule[],
  find: (name: string) => ParsedRule | undefined,
): readonly ParsedRule[] {
  const meant =
    named === "any"
      ? rules
      : named.map(({ name, at }) => {
          const rule = find(name);
          if (rule) return rule;
          const message = `No rule in force has the id or name '${name}' (in ${file}); filters are for rules only.`;
          throw new RuleError("FILTER_RULE_UNKNOWN", message, at);
        });
  return [...new Set(meant)].filter((rule) => states(rule.logsource, logsource));
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

function warnIdle({ file, line, title }: ParsedFilter, problems: Problems): void {
  const message = `The filter '${title}' has no effect: no rule it is for states its log source.`;
  problems.warn("FILTER_WITHOUT_EFFECT", { file, line, column: 1 }, message);
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

import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { logsourceOf } from "../../../events/logsource.ts";
import { fieldsOf } from "../fields.ts";
import { evaluateCorrelations, type Occurrence, withReferred } from "../sigma/correlating/chain.ts";
import { describeWindow, type WindowDescription } from "../sigma/correlating/positions.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import { explain, type Explanation } from "../sigma/matching/explain.ts";
import { appliesTo } from "../sigma/matching/logsource.ts";
import type { Rule } from "../sigma/rule.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { shownRuleId } from "./content.ts";

/** An event as it is explained; `id` tells it from the others. */
export interface ExplainedEvent {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly data: AuditRecorded;
}

/** Why a rule holds for an event, or does not. */
export interface RuleExplanation extends Explanation {
  readonly kind: "rule";
  /** The id alerts show. */
  readonly rule: string;
  readonly title: string;
  /** Whether the rule is written for the event's log source at all; else it does not hold, whatever stands below. */
  readonly applies: boolean;
  readonly logsource: { readonly rule: Rule["logsource"]; readonly event: object | undefined };
}

/** Why a correlation fires at an event, or does not. */
export interface CorrelationExplanation {
  readonly kind: "correlation";
  readonly rule: string;
  readonly title: string;
  readonly holds: boolean;
  /** What it refers to, and whether the event counts as it. */
  readonly refersTo: readonly (RuleExplanation | { readonly kind: "reference"; readonly rule: string })[];
  /** The groups the event counts for, each with its window at the event; empty when it counts for none. */
  readonly windows: readonly GroupWindow[];
}

export interface GroupWindow extends WindowDescription {
  readonly group: Readonly<Record<string, string>>;
}

/**
 * Explains what a rule or correlation makes of one of a list of events; for a correlation all of them are
 * looked at. By the definition of windows, without state: what the pipeline arrives at, whatever way.
 */
export function explainRule(
  ruleSet: RuleSet,
  item: Rule | Correlation,
  { events, event }: { readonly events: readonly ExplainedEvent[]; readonly event: ExplainedEvent },
): RuleExplanation | CorrelationExplanation {
  if ("detection" in item) return explainOne(item, event);
  const windows = windowsOf(ruleSet, item, { events, event });
  return {
    kind: "correlation",
    rule: shownRuleId(item),
    title: item.title,
    holds: windows.some(({ holds }) => holds),
    refersTo: item.refersTo.map(({ id }) => {
      const rule = ruleSet.rules.find((known) => known.id === id);
      return rule ? explainOne(rule, event) : { kind: "reference", rule: id };
    }),
    windows,
  };
}

function explainOne(rule: Rule, { data }: ExplainedEvent): RuleExplanation {
  const logsource = logsourceOf(data);
  const applies = logsource !== undefined && appliesTo(rule.logsource, logsource);
  const { holds, selections } = explain(rule, fieldsOf(data));
  return {
    kind: "rule",
    rule: shownRuleId(rule),
    title: rule.title,
    applies,
    logsource: { rule: rule.logsource, event: logsource },
    holds: applies && holds,
    selections,
  };
}

function windowsOf(
  ruleSet: RuleSet,
  correlation: Correlation,
  { events, event }: { readonly events: readonly ExplainedEvent[]; readonly event: ExplainedEvent },
): readonly GroupWindow[] {
  const occurrences = events.map(({ id, time, data }): Occurrence => {
    const logsource = logsourceOf(data);
    const fields = fieldsOf(data);
    const matched = logsource ? ruleSet.match(fields, logsource).map((rule) => rule.id) : [];
    return { member: id, time, matched, fields };
  });
  return evaluateCorrelations(withReferred(correlation, ruleSet.correlations), occurrences)
    .filter((group) => group.correlation.id === correlation.id)
    .filter(({ members }) => members.some(({ member }) => member === event.id))
    .map(({ group, members }) => ({
      group: Object.fromEntries(correlation.groupBy.map((name, index) => [name, group[index] ?? ""])),
      ...describeWindow(correlation, members, event.time),
    }));
}

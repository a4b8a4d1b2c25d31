import { alertRaised } from "../../events/contracts/alert-raised.ts";
import type { Event } from "../../events/event.ts";
import type { RuleSet } from "../../functions/analysis/sigma/rule-set.ts";
import type { LedgerEntry } from "../../runtime/ledger/ledger.ts";
import { keyOf } from "./database.ts";
import { type ExpectedAlert, settledAlerts, settledRules } from "./oracle.ts";

export interface Settled {
  readonly accepted: readonly LedgerEntry[];
  /** Keys of the events in the order in which they were accepted. */
  readonly order: readonly string[];
  readonly recorded: ReadonlyMap<string, Event>;
  readonly ruleSet: RuleSet;
}

/**
 * What is judged once its time has passed is judged by what has come until then: each emission must be what
 * some beginning of the accepted events justifies, and whatever all of them justify must be told.
 */
export function judgeSettled(settled: Settled): readonly string[] {
  const emissions = emissionsOf(settled);
  const found = new Map(foundSettled(settled).map(({ id, evidence }) => [id, new Set(evidence)]));
  const justified = new Set(beginningsOf(settled).flatMap((entries) => linesOf(entries, settled.ruleSet)));
  const missing = settledAlerts(settled.accepted, settled.ruleSet).flatMap(({ id, evidence }) =>
    evidence.filter((key) => !found.get(id)?.has(key)).map((key) => `${id} ${key.slice(0, 8)}`),
  );
  return [
    ...missing.map((line) => `settled alerts: missing ${line}`),
    ...emissions
      .map(({ id, evidence }) => lineOf(id, evidence.map(keyOf)))
      .filter((line) => !justified.has(line))
      .map((line) => `settled alerts: unjustified ${line}`),
  ];
}

/** The alerts that were raised, each with the evidence of all its emissions. */
export function foundSettled(settled: Pick<Settled, "recorded">): readonly ExpectedAlert[] {
  const alerts = Map.groupBy(emissionsOf(settled), ({ id }) => id);
  return [...alerts].map(([id, emissions]) => {
    const points = emissions.flatMap(({ evidence }) => evidence);
    const times = points.map(({ time }) => Date.parse(time));
    const { rule = "", groupKey = "" } = emissions[0] ?? {};
    return {
      id,
      rule,
      group: `${rule} ${groupKey}`,
      evidence: [...new Set(points.map(keyOf))].toSorted(),
      firstSeen: Math.min(...times),
      lastSeen: Math.max(...times),
    };
  });
}

function emissionsOf({ recorded }: Pick<Settled, "recorded">) {
  return [...recorded.values()]
    .map(({ data }) => alertRaised.data.parse(data))
    .filter(({ analysis_rule: { rule_id: rule } }) => settledRules.has(rule))
    .map(({ alert_id: id, analysis_rule: rule, group_key: groupKey, evidence = [] }) => {
      return { id, rule: rule.rule_id, groupKey, evidence };
    });
}

function beginningsOf({ accepted, order }: Settled): readonly (readonly LedgerEntry[])[] {
  const byKey = new Map(accepted.map((entry) => [keyOf(entry.event), entry]));
  return order.map((_, index) => order.slice(0, index + 1).flatMap((key) => byKey.get(key) ?? []));
}

function linesOf(entries: readonly LedgerEntry[], ruleSet: RuleSet): readonly string[] {
  return settledAlerts(entries, ruleSet).map(({ id, evidence }) => lineOf(id, evidence));
}

function lineOf(id: string, evidence: readonly string[]): string {
  return `${id} ${evidence
    .map((key) => key.slice(0, 8))
    .toSorted()
    .join()}`;
}

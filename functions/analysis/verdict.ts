import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import { logsourceOf } from "../../events/logsource.ts";
import { type Group, toGroup } from "./correlation/group-key.ts";
import { type Part, type Plan, planOf } from "./correlation/plan.ts";
import { fieldsOf } from "./fields.ts";
import type { Fields } from "./fields.ts";
import { compileMembership, type MembershipOf } from "./sigma/correlating/membership.ts";
import type { Correlation } from "./sigma/language/correlation.ts";
import type { Rule } from "./sigma/rule.ts";
import type { RuleSet } from "./sigma/rule-set.ts";

/** A group of one correlation. */
export interface GroupOf {
  readonly correlation: Correlation;
  readonly group: Group;
}

/** One event counts for one group of one correlation. */
export interface Hit extends GroupOf {
  readonly part: Part;
  /** What it counts as: which of the correlation's rules it matches, and its value fields. */
  readonly rules: number;
  readonly values: readonly string[];
}

/** What a rule set says about one event by itself; what windows say comes later. */
export interface Verdict {
  readonly fields: Fields;
  /** Every rule that holds, also those that only serve correlations. */
  readonly matched: readonly Rule[];
  /** The groups it counts for, of correlations that refer to rules only. */
  readonly hits: readonly Hit[];
  /** Correlations of correlations that it may matter to, each after those it refers to. */
  readonly chains: readonly Part[];
}

/** What is judged: an audit event. */
export interface Judged {
  readonly source?: string | undefined;
  readonly data: AuditRecorded;
}

/** Judges events by a rule set; `undefined` when the event's log source is not known. */
export type Judge = (event: Judged) => Verdict | undefined;

/** A judge, and how the correlations of its rule set are evaluated. */
export interface Judging extends Plan {
  readonly judge: Judge;
}

/** Most events count for nothing. */
const none: readonly never[] = [];

const judgings = new WeakMap<RuleSet, Judging>();

/** How a rule set judges; worked out once per rule set. */
export function judgingOf(ruleSet: RuleSet): Judging {
  const known = judgings.get(ruleSet);
  if (known) return known;
  const plan = planOf(ruleSet.correlations);
  const judging = { ...plan, judge: createJudge(ruleSet, plan) };
  judgings.set(ruleSet, judging);
  return judging;
}

/** Compiles what is not the rule engine's: which correlations a rule serves, and their groups. */
export function createJudge(ruleSet: RuleSet, plan: Plan = planOf(ruleSet.correlations)): Judge {
  const served = createServed(plan);
  return ({ data }) => {
    const logsource = logsourceOf(data);
    if (!logsource) return undefined;
    const fields = fieldsOf(data);
    const matched = ruleSet.match(fields, logsource);
    if (matched.length === 0) return { fields, matched, hits: none, chains: none };
    const parts = new Set(matched.flatMap(({ id }) => served.get(id) ?? []));
    if (parts.size === 0) return { fields, matched, hits: none, chains: none };
    const ids = matched.map(({ id }) => id);
    return {
      fields,
      matched,
      hits: [...parts].flatMap(({ part, membershipOf }) => hitsOf(part, membershipOf?.(ids, fields))),
      chains: chainsOf(parts),
    };
  };
}

interface Served {
  readonly part: Part;
  /** Absent for correlations of correlations: whether an event counts for them is not its own affair. */
  readonly membershipOf?: MembershipOf;
}

/** The correlations that each rule serves, directly or through others, by the id of the rule. */
function createServed({ parts }: Plan): ReadonlyMap<string, readonly Served[]> {
  const served = new Map<string, Served[]>();
  for (const part of parts) {
    const entry = part.isChain ? { part } : { part, membershipOf: compileMembership(part.correlation) };
    const referred = part.members.flatMap(({ refersTo }) => refersTo);
    const ids = new Set(referred.flatMap(({ kind, id }) => (kind === "rule" ? [id] : [])));
    for (const id of ids) served.set(id, [...(served.get(id) ?? []), entry]);
  }
  return served;
}

function hitsOf(part: Part, memberships: ReturnType<MembershipOf> = []): readonly Hit[] {
  const { correlation } = part;
  return memberships.map(({ group, rules, values }) => {
    return { part, correlation, group: toGroup(correlation.groupBy, group), rules, values };
  });
}

function chainsOf(served: Iterable<Served>): readonly Part[] {
  const chains = Array.from(served, ({ part }) => part).filter(({ isChain }) => isChain);
  return chains.toSorted((a, b) => a.members.length - b.members.length);
}

import { compileRules } from "../rules/compile.ts";
import type { Correlation, CorrelationCondition, SeenCondition } from "../sigma/language/correlation.ts";
import type { RuleSet } from "../sigma/rule-set.ts";

const text = `
title: Failed login
id: failed
logsource: {category: authentication}
detection: {selection: {action_result: [FAILURE, BOTH]}, condition: selection}
---
title: Successful login
id: passed
logsource: {category: authentication}
detection: {selection: {action_result: [SUCCESS, BOTH]}, condition: selection}
---
title: Denied login
id: denied
logsource: {category: authentication}
detection: {selection: {action_result: DENIED}, condition: selection}
---
title: Template
id: template
correlation: {type: event_count, rules: [failed, passed, denied], group-by: [user_id], timespan: 10s, condition: {gte: 3}}
`;
const compiled = compileRules([{ file: "order-free.yml", text }]).ruleSet;

/** What a correlation of these tests says; by default it counts failed logins per user. */
interface Wanted extends Partial<
  Pick<Correlation, "type" | "groupBy" | "aliases" | "window" | "valueFields" | "percentile" | "silent">
> {
  readonly id: string;
  readonly rules?: readonly string[];
  readonly seconds?: number;
  readonly condition: CorrelationCondition;
}

function correlation(wanted: Wanted, known: readonly Wanted[]): Correlation {
  const [template] = compiled.correlations;
  if (!template) throw new Error("The template is gone.");
  const { rules = ["failed"], seconds = 10, ...changes } = wanted;
  const isKnown = (id: string) => known.some((one) => one.id === id);
  return {
    ...template,
    valueFields: changes.type?.startsWith("value_") ? ["details.bytes"] : [],
    ...changes,
    refersTo: rules.map((id) => ({ kind: isKnown(id) ? "correlation" : "rule", id })),
    timespanMs: seconds * 1000,
    revision: `revision of ${wanted.id}`,
  };
}

type Operator = Extract<CorrelationCondition, { kind: "number" }>["comparisons"][number]["operator"];

const operators: readonly Operator[] = ["gt", "gte", "lt", "lte", "eq", "neq"];

/** Comparisons as a rule writes them. */
function number(wanted: Partial<Record<Operator, number>>): CorrelationCondition {
  const comparisons = operators.flatMap((operator) => {
    const operand = wanted[operator];
    return operand === undefined ? [] : [{ operator, operand }];
  });
  return { kind: "number", comparisons };
}

const rule = (index: number): SeenCondition => ({ kind: "rule", index });
const seen = (of: SeenCondition): CorrelationCondition => ({ kind: "seen", of });
const all = (...of: readonly SeenCondition[]) => seen({ kind: "and", of });
const not = (of: SeenCondition): SeenCondition => ({ kind: "not", of });

const tumbling = { kind: "tumbling" } as const;
const session = { kind: "session", gapMs: 2500 } as const;
const byHost = { groupBy: ["server_hostname"] };
const everyRule = ["failed", "passed", "denied"];
const twoInOrder = { type: "temporal_ordered", rules: ["passed", "failed"] } as const;
const inOrder = { type: "temporal_ordered", rules: everyRule } as const;

/** Sigma's simplest ones, which most rules are. */
const counts: readonly Wanted[] = [
  { id: "burst", condition: number({ gte: 3 }) },
  { id: "pair", ...byHost, seconds: 4, condition: number({ gt: 1 }) },
];

/** The others whose windows are the state's. */
const windows: readonly Wanted[] = [
  { id: "all of one slot", groupBy: [], window: tumbling, condition: number({ gte: 4 }) },
  { id: "session", rules: everyRule, window: session, condition: number({ gte: 3 }) },
  { id: "values", type: "value_count", condition: number({ gte: 2 }) },
  { id: "values of a slot", type: "value_count", window: tumbling, condition: number({ gte: 2 }) },
  { id: "values of a session", type: "value_count", window: session, condition: number({ gt: 1 }) },
  {
    id: "pairs of values",
    type: "value_count",
    valueFields: ["details.bytes", "user_id"],
    ...byHost,
    condition: number({ gte: 3 }),
  },
  { id: "seen", type: "temporal", rules: everyRule, condition: all(rule(0), rule(1), rule(2)) },
  {
    id: "either seen",
    type: "temporal",
    rules: everyRule,
    window: session,
    condition: all(rule(0), { kind: "or", of: [rule(1), rule(2)] }),
  },
  {
    id: "seen under other names",
    type: "temporal",
    rules: ["failed", "passed"],
    groupBy: ["who"],
    aliases: { who: { 0: "user_id", 1: "details.target" } },
    condition: all(rule(0), rule(1)),
  },
  { id: "in order", ...inOrder, condition: all(rule(0), rule(1), rule(2)) },
  {
    id: "twice, then passed",
    type: "temporal_ordered",
    rules: ["failed", "failed", "passed"],
    condition: all(rule(0), rule(1), rule(2)),
  },
  { id: "in order in a slot", ...twoInOrder, window: tumbling, condition: all(rule(0), rule(1)) },
  { id: "in order in a session", ...twoInOrder, window: session, condition: all(rule(0), rule(1)) },
];

const child = { id: "child", seconds: 4, condition: number({ gte: 2 }), silent: true } as const;

/** Of correlations that fire first, by the ledger around an event. */
const chains: readonly Wanted[] = [
  child,
  { id: "hosts", rules: ["child"], ...byHost, condition: number({ gte: 2 }) },
  {
    id: "and then passed",
    type: "temporal_ordered",
    rules: ["child", "passed"],
    condition: all(rule(0), rule(1)),
  },
  {
    id: "values of a child",
    type: "value_count",
    rules: ["child", "denied"],
    groupBy: [],
    window: tumbling,
    condition: number({ gte: 2 }),
  },
  { id: "chain of chains", rules: ["hosts"], groupBy: [], condition: number({ gte: 2 }) },
  // A list with a rule that the condition does not name is none for the state.
  { id: "with a gap", ...inOrder, condition: all(rule(0), rule(2)) },
];

/** That more events can make untrue. */
const settled: readonly Wanted[] = [
  { id: "few", condition: number({ lt: 2 }) },
  { id: "exactly", ...byHost, seconds: 4, condition: number({ eq: 2 }) },
  { id: "range", window: session, condition: number({ gte: 2, lte: 3 }) },
  { id: "not so many", groupBy: [], window: tumbling, condition: number({ neq: 3 }) },
  { id: "few values", type: "value_count", condition: number({ lte: 1 }) },
  { id: "sum", type: "value_sum", condition: number({ gt: 4 }) },
  { id: "sum of a slot", type: "value_sum", window: tumbling, condition: number({ lt: 4 }) },
  { id: "average", type: "value_avg", ...byHost, condition: number({ gte: 1.5 }) },
  { id: "median", type: "value_median", window: session, condition: number({ gte: 2 }) },
  { id: "percentile", type: "value_percentile", percentile: 90, condition: number({ lt: 3 }) },
  { id: "silence", seconds: 4, condition: number({ lt: 1 }) },
  { id: "without", type: "temporal", rules: everyRule, condition: all(rule(0), not(rule(1))) },
  {
    id: "not followed",
    type: "temporal_ordered",
    rules: ["failed", "denied", "passed"],
    seconds: 4,
    condition: all(rule(0), rule(1), not(rule(2))),
  },
  child,
  { id: "one child", rules: ["child"], ...byHost, condition: number({ eq: 1 }) },
  { id: "quiet", seconds: 4, condition: number({ eq: 0 }), silent: true },
  { id: "quiet twice", rules: ["quiet"], groupBy: [], condition: number({ gte: 2 }) },
  { id: "child and quiet", type: "temporal", rules: ["child", "quiet"], condition: all(rule(0), rule(1)) },
];

function toRuleSet(hash: string, wanted: readonly Wanted[]): RuleSet {
  const correlations = wanted.map((one) => correlation(one, wanted));
  return { ...compiled, rules: compiled.rules, hash, correlations };
}

/** Every correlation type, by how it is evaluated. */
export const ruleSets = {
  counts: toRuleSet("counts", counts),
  windows: toRuleSet("windows", windows),
  chains: toRuleSet("chains", chains),
  settled: toRuleSet("settled", settled),
};

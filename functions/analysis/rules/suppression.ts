import type { Correlation } from "../sigma/language/correlation.ts";
import type { Description } from "../sigma/language/description.ts";
import type { Rule } from "../sigma/rule.ts";
import { contentOf, shownRuleId } from "./content.ts";
import type { Detections } from "./leave-out.ts";

/**
 * Suppression of repetitions (`auditflow.suppress: { by, for }`): the rule or correlation falls silent, and
 * a correlation of its matches, of one event or more per value of `by` within `for`, raises in its place.
 * So repetitions become evidence of one alert, by the same windows, identities and episodes as everything
 * else, in whatever order and on whatever replica they come; and the first one alerts at once.
 *
 * What is silent already raises nothing that could be suppressed.
 */
export function withSuppression(
  { rules, correlations }: Detections,
  hash: (text: string) => string,
): Detections {
  const derived = [
    ...rules.flatMap((rule) => derive("rule", rule, hash)),
    ...correlations.flatMap((correlation) => derive("correlation", correlation, hash)),
  ];
  const replaced = new Set(derived.flatMap(({ refersTo }) => refersTo.map(({ id }) => id)));
  const quiet = <Item extends Rule | Correlation>(item: Item): Item =>
    replaced.has(item.id) ? { ...item, silent: true } : item;
  return { rules: rules.map(quiet), correlations: [...correlations.map(quiet), ...derived] };
}

function derive(
  kind: "rule" | "correlation",
  item: Rule | Correlation,
  hash: (text: string) => string,
): readonly Correlation[] {
  const { suppress } = contentOf(item);
  if (!suppress || item.silent) return [];
  const { by, for: timespanMs } = suppress;
  return [
    {
      ...describe(item),
      id: `${item.id}/suppressed`,
      shows: shownRuleId(item),
      type: "event_count",
      refersTo: [{ kind, id: item.id }],
      groupBy: by,
      // Without it a match that lacks a field would raise nothing at all.
      groupsAbsent: true,
      aliases: {},
      timespanMs,
      window: { kind: "sliding" },
      condition: { kind: "number", comparisons: [{ operator: "gte", operand: 1 }] },
      valueFields: [],
      silent: false,
      revision: hash(JSON.stringify(["suppressed", item.revision, by, timespanMs])),
    },
  ];
}

/** What both say of themselves, without the name: a correlation that refers to it means the original. */
function describe(item: Rule | Correlation): Description {
  const { name: _name, ...described } = item;
  if (!("detection" in described)) return described;
  const { detection: _detection, logsource: _logsource, ...description } = described;
  return description;
}

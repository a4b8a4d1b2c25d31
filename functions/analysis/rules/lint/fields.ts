import { knownFieldsOf } from "../../../../events/sources/registry.ts";
import type { Correlation } from "../../sigma/language/correlation.ts";
import type { Expression, Test } from "../../sigma/language/expression.ts";
import type { RuleProblem } from "../../sigma/language/problem.ts";
import type { Rule } from "../../sigma/rule.ts";
import type { RuleSet } from "../../sigma/rule-set.ts";
import { warning } from "./warning.ts";

/**
 * Fields that events of a known log source do not have: the rule that asks for one never sees it. Nothing is
 * said of log sources that are not described in `events/sources`.
 */
export function unknownFields({ rules, correlations }: RuleSet): readonly RuleProblem[] {
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  return [
    ...rules.flatMap((rule) => unknownIn(rule, rule, fieldsOf(rule.detection))),
    ...correlations.flatMap((correlation) =>
      correlation.refersTo.flatMap(({ id }, index) => {
        const rule = byId.get(id);
        return rule ? unknownIn(correlation, rule, fieldsFor(correlation, index)) : [];
      }),
    ),
  ];
}

function unknownIn(
  place: Rule | Correlation,
  { logsource }: Rule,
  fields: readonly string[],
): readonly RuleProblem[] {
  const known = knownFieldsOf(logsource);
  if (!known) return [];
  const unknown = [...new Set(fields)].filter((field) => !known.has(field));
  const source = JSON.stringify(logsource);
  return unknown.map((field) =>
    warning("RULE_FIELD_UNKNOWN", place, `Events of the log source ${source} have no field '${field}'.`),
  );
}

/** The fields a correlation reads of events that match the rule at `index` of its list. */
function fieldsFor({ groupBy, aliases, valueFields }: Correlation, index: number): readonly string[] {
  const grouping = groupBy.flatMap((name) =>
    Object.hasOwn(aliases, name) ? (aliases[name]?.[index] ?? []) : [name],
  );
  return [...grouping, ...valueFields];
}

/** Every field a detection asks for; also those that must be absent, which a typing error makes always true. */
function fieldsOf(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case "and":
    case "or":
      return expression.of.flatMap(fieldsOf);
    case "not":
    case "named":
      return fieldsOf(expression.of);
    case "field":
      return [expression.field, ...expression.tests.flatMap(referredBy)];
    case "null":
    case "exists":
      return [expression.field];
    case "keywords":
      return [];
    default:
      return expression satisfies never;
  }
}

function referredBy(test: Test): readonly string[] {
  if (test.kind === "any") return test.of.flatMap(referredBy);
  return test.kind === "fieldref" ? [test.field] : [];
}

/**
 * Names that differ in every event, in the words of the sources AuditFlow knows: ids of events and requests,
 * and moments.
 */
const unique: ReadonlySet<string> = new Set(
  (
    "event_id eventID id uuid auditID requestID requestId sharedEventID insertId correlation_id trace_id " +
    "_document_id delivery_id timestamp eventTime time published @timestamp created_at receiveTimestamp " +
    "requestReceivedTimestamp stageTimestamp time_iso8601 msec serial operationId correlationId eventDataId"
  )
    .toLowerCase()
    .split(" "),
);

/** Groups of one event each: nothing is ever counted in them. */
export function uniqueGroups({ correlations }: RuleSet): readonly RuleProblem[] {
  return correlations.flatMap((correlation) => {
    const fields = correlation.refersTo.flatMap((_, index) =>
      fieldsFor({ ...correlation, valueFields: [] }, index),
    );
    return [...new Set(fields)]
      .filter((field) => unique.has(field.replace(/^details\./, "").toLowerCase()))
      .map((field) =>
        warning(
          "RULE_GROUP_UNIQUE",
          correlation,
          `'${field}' differs in every event: each is a group of its own.`,
        ),
      );
  });
}

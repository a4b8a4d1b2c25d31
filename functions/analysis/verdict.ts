import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import { logsourceOf } from "../../events/logsource.ts";
import { compileGroup } from "./correlation/group-key.ts";
import type { Group } from "./correlation/group-key.ts";
import { fieldsOf } from "./fields.ts";
import type { Fields } from "./fields.ts";
import type { Correlation } from "./sigma/language/correlation.ts";
import type { Rule } from "./sigma/rule.ts";
import type { RuleSet } from "./sigma/rule-set.ts";

/** One event counts for one group of one correlation. */
export interface Hit {
  readonly correlation: Correlation;
  readonly group: Group;
}

/** What a rule set says about one event by itself; what windows say comes later. */
interface Verdict {
  readonly fields: Fields;
  /** Every rule that holds, also those that only serve correlations. */
  readonly matched: readonly Rule[];
  readonly hits: readonly Hit[];
}

/** Judges events by a rule set; `undefined` when the event's log source is not known. */
export type Judge = (data: AuditRecorded) => Verdict | undefined;

/** Compiles what is not the rule engine's: which correlations a rule serves, and their groups. */
export function createJudge(ruleSet: RuleSet): Judge {
  const served = new Map<string, { correlation: Correlation; groupOf: ReturnType<typeof compileGroup> }[]>();
  for (const correlation of ruleSet.correlations) {
    const entry = { correlation, groupOf: compileGroup(correlation) };
    for (const { id } of correlation.refersTo) served.set(id, [...(served.get(id) ?? []), entry]);
  }
  return (data) => {
    const logsource = logsourceOf(data);
    if (!logsource) return undefined;
    const fields = fieldsOf(data);
    const matched = ruleSet.match(fields, logsource);
    // An event that several rules of one correlation hold for counts once.
    const entries = new Set(matched.flatMap(({ id }) => served.get(id) ?? []));
    const hits = [...entries].flatMap(({ correlation, groupOf }) => {
      const group = groupOf(fields);
      return group ? [{ correlation, group }] : [];
    });
    return { fields, matched, hits };
  };
}

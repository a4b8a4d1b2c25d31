import type { Correlation } from "../sigma/language/correlation.ts";
import type { RuleProblem } from "../sigma/language/problem.ts";
import type { Rule } from "../sigma/rule.ts";

/** What takes force together. */
export interface Detections {
  readonly rules: readonly Rule[];
  readonly correlations: readonly Correlation[];
}

/** What is left, and about the correlations that went with what they refer to. */
interface Kept extends Detections {
  readonly orphans: readonly RuleProblem[];
}

/**
 * Leaves rules and correlations out, and the correlations that refer to one of them, in any order: what goes
 * may orphan another one. `why` ends the sentence that tells of those, such as "failed its cases".
 */
export function leaveOut(
  { rules, correlations: all }: Detections,
  ids: ReadonlySet<string>,
  why: string,
): Kept {
  const gone = new Set(ids);
  const orphans: RuleProblem[] = [];
  let correlations = all.filter(({ id }) => !gone.has(id));
  for (;;) {
    const lost = correlations.filter(({ refersTo }) => refersTo.some(({ id }) => gone.has(id)));
    if (lost.length === 0) break;
    orphans.push(...lost.map((correlation) => orphaned(correlation, gone, why)));
    for (const { id } of lost) gone.add(id);
    correlations = correlations.filter(({ id }) => !gone.has(id));
  }
  return { rules: rules.filter(({ id }) => !ids.has(id)), correlations, orphans };
}

function orphaned(
  { title, refersTo, file, line }: Correlation,
  gone: ReadonlySet<string>,
  why: string,
): RuleProblem {
  const missing = refersTo.flatMap(({ id }) => (gone.has(id) ? [`'${id}'`] : [])).join(", ");
  const message = `'${title}' is left out: it refers to ${missing}, which ${why}.`;
  return { code: "CORRELATION_RULE_UNKNOWN", severity: "error", file, line, column: 1, message };
}

import type { QualifiedBucket } from "../../../runtime/state/state.ts";
import { isSilence } from "../sigma/correlating/condition.ts";
import { isNotFollowed } from "../sigma/correlating/nature.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import type { GroupOf } from "../verdict.ts";

/** The group and the numbers, nothing else of the events: a description travels into chats and mails. */
export function describeBucket(
  { correlation, group }: GroupOf,
  { count }: Pick<QualifiedBucket, "count">,
): string {
  const of = Object.entries(group.values).map(([field, value]) => `${field} ${value}`);
  const where = of.length > 0 ? ` (${of.join(", ")})` : "";
  return `${correlation.title}: ${count} events ${describeWindow(correlation)}${where}.`;
}

function describeWindow(correlation: Correlation): string {
  const { timespanMs, window } = correlation;
  const seconds = `${timespanMs / 1000} s`;
  if (isSilence(correlation)) return `after which nothing came for ${seconds}`;
  if (isNotFollowed(correlation))
    return `within ${seconds} of each other, without what should follow in as long`;
  if (window.kind === "tumbling") return `within one period of ${seconds}`;
  const gap = window.kind === "session" ? `, no two of them more than ${window.gapMs / 1000} s apart` : "";
  return `within ${seconds} of each other${gap}`;
}

import { z } from "zod";

import type { EventIdentity } from "../../../events/identity.ts";
import type { WindowMember, WindowStep } from "../../../runtime/state/state.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import type { Hit } from "../verdict.ts";
import { lengthPrefixed } from "./group-key.ts";
import type { WindowSpan } from "./window.ts";

const pair = z.tuple([z.string(), z.string()]);

/** An event as a member of windows: its text can be turned back into its identity. */
export function toMember({ source, id }: EventIdentity): string {
  return JSON.stringify([source, id]);
}

/** The identity behind a member that `toMember` made. */
export function fromMember(member: string): EventIdentity {
  const [source, id] = pair.parse(JSON.parse(member));
  return { source, id };
}

/** The windows that are covered, and rebuilt, together: those of one correlation and its revision. */
export function seriesOf({ id, revision }: Pick<Correlation, "id" | "revision">): string {
  return lengthPrefixed([id, revision]);
}

/** What the state is asked about a hit. */
export function toStep(
  { correlation, group }: Hit,
  { member, time }: WindowMember,
  latenessMs: number,
): WindowStep {
  const series = seriesOf(correlation);
  const { timespanMs, threshold } = spanOf(correlation);
  return {
    series,
    key: `${series}/${group.key}`,
    member,
    time,
    timespanMs,
    latenessMs,
    window: { kind: "sliding" },
    condition: { kind: "count", atLeast: threshold },
  };
}

/** The window of a correlation that counts events. */
export function spanOf({ timespanMs, condition }: Correlation): WindowSpan {
  const operand = condition.kind === "number" ? condition.comparisons[0]?.operand : undefined;
  return { timespanMs, threshold: operand ?? 1 };
}

import { chainReachMs, withReferred } from "../sigma/correlating/chain.ts";
import { isEager, isMonotone, type Reach } from "../sigma/correlating/nature.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import { lengthPrefixed } from "./group-key.ts";

/** A correlation in force, and how it is evaluated. */
export interface Part {
  readonly correlation: Correlation;
  /** Names the correlation and its revision: what is covered, rebuilt and timed together. */
  readonly series: string;
  /**
   * - `window`: fires when an event comes, by the windows of the state.
   * - `ledger`: fires when an event comes as well, by a replay of the ledger around it: correlations of
   *   correlations, and those the state cannot be asked.
   * - `settled`: more events may also make it untrue, so it is evaluated from the ledger once no more are awaited.
   */
  readonly mode: "window" | "ledger" | "settled";
  /** All that it refers to, directly or not, and itself last. */
  readonly members: readonly Correlation[];
  /** How far its windows reach, those of what it refers to added. */
  readonly reach: Reach;
  /** Whether it refers to other correlations. */
  readonly isChain: boolean;
}

export interface Plan {
  /**
   * What has to be evaluated, each after what it refers to: whatever raises alerts, and what fires first for
   * one of those. A silent correlation that only serves settled ones is evaluated with them.
   */
  readonly parts: readonly Part[];
  readonly bySeries: ReadonlyMap<string, Part>;
}

/** Decides how each correlation of a rule set is evaluated. */
export function planOf(correlations: readonly Correlation[]): Plan {
  const parts = correlations.map((correlation) => toPart(correlation, correlations));
  const wanted = new Set(parts.filter(({ correlation }) => !correlation.silent));
  for (const { mode, members } of wanted) {
    if (mode !== "ledger") continue;
    for (const part of parts) if (members.includes(part.correlation)) wanted.add(part);
  }
  // Whatever refers to another one has more members than it.
  const evaluated = [...wanted].toSorted((a, b) => a.members.length - b.members.length);
  return { parts: evaluated, bySeries: new Map(evaluated.map((part) => [part.series, part])) };
}

/** The name of a correlation and its revision. */
export function seriesOf({ id, revision }: Pick<Correlation, "id" | "revision">): string {
  return lengthPrefixed([id, revision]);
}

function toPart(correlation: Correlation, correlations: readonly Correlation[]): Part {
  const members = withReferred(correlation, correlations);
  const firing = isEager(correlation) ? "window" : "ledger";
  return {
    correlation,
    series: seriesOf(correlation),
    mode: members.every(isMonotone) ? firing : "settled",
    members,
    reach: chainReachMs(correlation, correlations),
    isChain: members.length > 1,
  };
}

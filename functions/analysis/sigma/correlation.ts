import type { Description } from "./rule.ts";

/** A Sigma correlation of type `event_count`, compiled. */
export interface Correlation extends Description {
  readonly type: "event_count";
  /** The ids of the rules whose matches are counted, resolved from ids or names. */
  readonly ruleIds: readonly string[];
  /** The fields whose values make a group; empty means one group for all. */
  readonly groupBy: readonly string[];
  readonly timespanMs: number;
  /** Fires when at least this many events lie within the timespan (`gt: n` is `gte: n + 1`). */
  readonly threshold: number;
  /** Hash of type, the rules' revisions, timespan, group-by and threshold. */
  readonly revision: string;
}

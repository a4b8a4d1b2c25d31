import type { Description } from "./description.ts";
import type { Comparison } from "./expression.ts";

export type CorrelationType =
  | "event_count"
  | "value_count"
  | "temporal"
  | "temporal_ordered"
  | "value_sum"
  | "value_avg"
  | "value_median"
  | "value_percentile";

/** Where windows lie. Sliding is Sigma's; the others are asked for with `auditflow.window`. */
export type CorrelationWindow =
  /** Ends at an event: (t - timespan, t]. */
  | { readonly kind: "sliding" }
  /** Slots of one timespan each, counted from the epoch: [k * timespan, (k + 1) * timespan). */
  | { readonly kind: "tumbling" }
  /** As sliding, but begins anew after a gap longer than this between neighbouring events. */
  | { readonly kind: "session"; readonly gapMs: number };

/** Which of the rules must have been seen; `index` counts in `refersTo`. */
export type SeenCondition =
  | { readonly kind: "and" | "or"; readonly of: readonly SeenCondition[] }
  | { readonly kind: "not"; readonly of: SeenCondition }
  | { readonly kind: "rule"; readonly index: number };

/** When a window fires. */
export type CorrelationCondition =
  /** All comparisons hold for the window's number; a range is two of them. */
  | {
      readonly kind: "number";
      readonly comparisons: readonly {
        readonly operator: Comparison | "eq" | "neq";
        readonly operand: number;
      }[];
    }
  /** For `temporal` and `temporal_ordered`; all of the rules when the document states none. */
  | { readonly kind: "seen"; readonly of: SeenCondition };

/** A rule or another correlation that a correlation refers to. */
export interface Referred {
  readonly kind: "rule" | "correlation";
  /** Its id, resolved from id or name. */
  readonly id: string;
}

/** A Sigma correlation: plain data, so that it can be packed as JSON. */
export interface Correlation extends Description {
  readonly type: CorrelationType;
  /** In written order; what is named twice stands twice in a `temporal_ordered` only: two distinct events of it. */
  readonly refersTo: readonly Referred[];
  /** The fields (or aliases) whose values make a group; empty means one group for all. */
  readonly groupBy: readonly string[];
  /** Alias -> position in `refersTo` -> field, for the aliases `groupBy` uses; a rule without an entry has no such field. */
  readonly aliases: Readonly<Record<string, Readonly<Record<number, string>>>>;
  readonly timespanMs: number;
  readonly window: CorrelationWindow;
  readonly condition: CorrelationCondition;
  /** Events without one of the `groupBy` fields are a group too, under an empty value, instead of not counting. */
  readonly groupsAbsent?: boolean | undefined;
  /** `value_*`: the field, or for `value_count` several whose values count together. */
  readonly valueFields: readonly string[];
  /** `value_percentile`: 0 to 100. */
  readonly percentile?: number | undefined;
  /** True when another correlation refers to it without `generate`: it then raises nothing by itself. */
  readonly silent: boolean;
  /** Hash of all of the above and of the revisions of what it refers to. */
  readonly revision: string;
}

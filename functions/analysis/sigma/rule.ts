import type { Expression } from "./expression.ts";
import type { Logsource } from "./logsource.ts";

export type Level = "informational" | "low" | "medium" | "high" | "critical";
export type Status = "stable" | "test" | "experimental" | "deprecated" | "unsupported";

/** What a rule and a correlation say about themselves; none of it takes part in matching. */
export interface Description {
  /** Sigma's `id`, else `name`, else `title`; unique in a rule set. */
  readonly id: string;
  readonly name?: string | undefined;
  readonly title: string;
  readonly description?: string | undefined;
  /** `medium` when the document states none. */
  readonly level: Level;
  readonly status?: Status | undefined;
  readonly author?: string | undefined;
  readonly tags: readonly string[];
  readonly references: readonly string[];
  readonly falsepositives: readonly string[];
  /** The fields worth showing to people. */
  readonly fields: readonly string[];
  readonly file: string;
  /** Where the document begins, counted from 1. */
  readonly line: number;
  /** Top-level keys that Sigma does not know, as plain data. */
  readonly custom: Readonly<Record<string, unknown>>;
}

/** A Sigma rule, compiled. */
export interface Rule extends Description {
  readonly logsource: Logsource;
  /** The detection with its condition resolved, in canonical form. */
  readonly detection: Expression;
  /** Hash of the log source and the detection: unchanged by any edit that does not change what matches. */
  readonly revision: string;
  /** True when a correlation refers to the rule without `generate`: it then raises nothing by itself. */
  readonly silent: boolean;
  /** Whether the detection holds for an event's fields, whatever its log source. Never throws. */
  readonly matches: (fields: object) => boolean;
}

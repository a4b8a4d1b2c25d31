/**
 * The windows cannot be trusted: the server lost its memory or is another one, one window was evicted, or
 * the series was never loaded. They must be rebuilt from the ledger.
 */
export class StateLostError extends Error {
  override readonly name = "StateLostError";
}

/** Which members belong to the window of a position t, besides lying in (t - timespanMs, t]. */
export type WindowKind =
  /** All of them. */
  | { readonly kind: "sliding" }
  /** Those of t's slot [k * timespanMs, (k + 1) * timespanMs). */
  | { readonly kind: "tumbling" }
  /** Those connected with t by gaps of at most this. */
  | { readonly kind: "session"; readonly gapMs: number };

/** What a window must hold for its position to qualify. More members can only add qualifying positions. */
export type WindowCondition =
  | { readonly kind: "count"; readonly atLeast: number }
  /** This many different values. */
  | { readonly kind: "distinct"; readonly atLeast: number }
  /** Members that together show all bits of one of these sets. */
  | { readonly kind: "rules"; readonly anyOf: readonly number[] }
  /** Members m(0), ... of times in order, ties in any, no member twice, where m(i) shows bit i; for bits below `length`. */
  | { readonly kind: "sequence"; readonly length: number };

/** One event of one group, offered to the group's window. */
export interface WindowStep {
  /** Names the (rule, revision) whose windows are covered, and rebuilt, together; any text. */
  readonly series: string;
  /** Names the group within everything, series included; any text, adapters hash it. */
  readonly key: string;
  /** The event's key, unique per event; any text. */
  readonly member: string;
  /** Event time, whole epoch milliseconds. */
  readonly time: number;
  /** For `distinct`: what is counted once; any text. "" when absent. */
  readonly value?: string | undefined;
  /** For `rules` and `sequence`: the rules the member matches, bit i for rule i, up to 30. 0 when absent. */
  readonly rules?: number | undefined;
  /** Length of the window; a position t covers (t - timespanMs, t] at most. */
  readonly timespanMs: number;
  /** Members are kept for timespanMs + latenessMs behind the newest. */
  readonly latenessMs: number;
  readonly window: WindowKind;
  readonly condition: WindowCondition;
}

export interface WindowMember {
  readonly member: string;
  readonly time: number;
}

/** A bucket (floor(position / timespanMs)) with a position that qualifies. */
export interface QualifiedBucket {
  readonly bucket: number;
  /** The first qualifying position this step re-evaluated: where the threshold was crossed. */
  readonly crossedAt: number;
  /** How many members the qualifying windows hold now, and the times of the first and last of them. */
  readonly count: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /**
   * The members of those windows: the step's own, and every other one that was not confirmed for this
   * bucket yet. Ordered by time, then member.
   */
  readonly members: readonly WindowMember[];
}

export interface WindowAnswer {
  /** Ordered by bucket; two at the most, because a member affects the positions of one timespan. Empty when late. */
  readonly qualified: readonly QualifiedBucket[];
  /**
   * True when the window may not hold every neighbour of the event, so that its positions must be
   * evaluated from the ledger: it lies further than latenessMs behind the newest of its group, or so far
   * back that the window may have expired or was not covered by the last rebuild.
   */
  readonly late: boolean;
  /** True when the group is new and its series holds as many as allowed: the event was not counted. */
  readonly capped?: boolean | undefined;
}

/** What bounds the memory that hostile events can make a State take. */
export interface WindowLimits {
  /** Groups a series may hold at once. */
  readonly groupsPerSeries: number;
  /** Members a group may hold; beyond it the oldest go. A condition that needs more raises it for its groups. */
  readonly membersPerGroup: number;
}

export const windowLimits: WindowLimits = { groupsPerSeries: 100_000, membersPerGroup: 10_000 };

/** What `confirm` needs to know of a window. */
export type WindowName = Pick<WindowStep, "key" | "timespanMs">;

/** Members of one bucket of a window. */
export type BucketMembers = Pick<QualifiedBucket, "bucket" | "members">;

/** Windows of a series hold every accepted event later than `from` (epoch milliseconds). */
export interface Coverage {
  readonly series: string;
  readonly from: number;
}

/** Adds a member during a rebuild, without evaluating anything. */
export type AddMember = (step: WindowStep) => Promise<void>;

/** A member that asks for a place among the first of a key. */
export interface Admission {
  /** Any text; adapters hash it. */
  readonly key: string;
  readonly member: string;
  /** How many different members a key admits. */
  readonly limit: number;
  /** How long, in milliseconds, those admitted are remembered after the latest one. */
  readonly rememberMs: number;
}

/**
 * Short-lived memory shared by all replicas. It may be lost at any time and is then rebuilt.
 *
 * Invariant of `window`: members are only ever added within the retained span, so counts only grow; the
 * answer to a step depends on the set of members alone, never on their order or repetition.
 */
export interface State extends AsyncDisposable {
  /**
   * Adds the member (again, harmlessly) and re-evaluates every position it can affect, atomically.
   * Rejects with StateLostError when windows of this series cannot be trusted.
   */
  window(step: WindowStep): Promise<WindowAnswer>;
  /** Marks members as recorded in the ledger for these buckets; later answers leave them out. Only saves work. */
  confirm(window: WindowName, recorded: readonly BucketMembers[]): Promise<void>;
  /**
   * The same for buckets that were evaluated from the ledger, whose members no window may hold: they are
   * remembered until `windowIdleMs` after the last of a bucket was confirmed.
   */
  confirmLate(window: WindowName, recorded: readonly BucketMembers[]): Promise<void>;
  /** Leaves out the members that `confirmLate` was told of, so that late events are not told n times n. */
  unconfirmedLate<Bucket extends BucketMembers>(
    window: WindowName,
    buckets: readonly Bucket[],
  ): Promise<readonly Bucket[]>;
  /**
   * Whether the member is among the first `limit` of its key; the same answer for a repetition of one that
   * was admitted. Holds no more than `limit` members. What is lost is begun anew: for noise, not for truth.
   */
  admit(admission: Admission): Promise<boolean>;
  /** A small JSON value kept until replaced. `undefined` when there is none. */
  read(key: string): Promise<unknown>;
  write(key: string, value: unknown): Promise<void>;
  /** Whether the windows of all these series can be trusted. */
  isCurrent(series: readonly string[]): Promise<boolean>;
  /**
   * Lets `replay` add the members of the covered series, then declares them covered. When no window can
   * be trusted, all earlier ones are discarded first; else those of other series stay in use meanwhile.
   * The caller makes sure that one rebuild runs at a time. Rejects with StateLostError when the server
   * lost its memory once more, or another rebuild began, before the end.
   */
  rebuild(coverage: readonly Coverage[], replay: (add: AddMember) => Promise<void>): Promise<void>;
}

/** A window untouched for this long beyond timespanMs + latenessMs expires. */
export const windowIdleMs = 3_600_000;

/**
 * How far behind the clock, beyond timespanMs + latenessMs, a new window claims to be complete. An
 * expired window held nothing later than: its last use, plus the 5 minutes an event may be ahead. So
 * `windowIdleMs` must exceed this by those 5 minutes, by the 5 that a registration in Redis may be behind
 * the last use, and by the clocks' disagreement.
 */
export const windowGraceMs = 600_000;

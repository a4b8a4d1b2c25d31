/** The window state was lost or belongs to another life of the server; it must be rebuilt from the ledger. */
export class StateLostError extends Error {
  override readonly name = "StateLostError";
}

/** One event of one group, offered to the group's window. */
export interface WindowStep {
  /** Names the (rule, revision, group); any text, adapters hash it. */
  readonly key: string;
  /** The event's key, unique per event; any text. */
  readonly member: string;
  /** Event time, epoch milliseconds. */
  readonly time: number;
  /** Length of the window; a position t covers (t - timespanMs, t]. */
  readonly timespanMs: number;
  /** Members are kept for timespanMs + latenessMs behind the newest. */
  readonly latenessMs: number;
  /** A position qualifies when its window holds at least this many members. */
  readonly threshold: number;
}

export interface WindowMember {
  readonly member: string;
  readonly time: number;
}

/** A bucket (floor(position / timespanMs)) with a position that qualifies. */
export interface QualifiedBucket {
  readonly bucket: number;
  /**
   * The members of the qualifying windows that this step can affect: the step's own, and every other
   * one that was not confirmed yet. Ordered by time, then member.
   */
  readonly members: readonly WindowMember[];
}

export interface WindowAnswer {
  readonly qualified: readonly QualifiedBucket[];
  /**
   * True when the event lies further than latenessMs behind the newest of its group: the window may
   * have forgotten its neighbours, so its positions must be evaluated from the ledger.
   */
  readonly late: boolean;
}

/**
 * Short-lived memory shared by all replicas. It may be lost at any time and is then rebuilt.
 *
 * Invariant of `window`: members are only ever added within the retained span, so counts only grow; the
 * answer to a step depends on the set of members alone, never on their order or repetition.
 */
export interface State extends AsyncDisposable {
  /** Adds the member (again, harmlessly) and re-evaluates every position it can affect, atomically. */
  window(step: WindowStep): Promise<WindowAnswer>;
  /** Marks members as recorded in the ledger; later answers leave them out. Only saves work. */
  confirm(key: string, members: readonly string[]): Promise<void>;
  /** True the first time within `ttlMs` that the key is seen, false afterwards. */
  once(key: string, ttlMs: number): Promise<boolean>;
  /** A small JSON value kept until replaced. */
  read(key: string): Promise<unknown>;
  write(key: string, value: unknown): Promise<void>;
  /** Whether windows can be trusted: the epoch they were built under is the server's current one. */
  isCurrent(): Promise<boolean>;
  /**
   * Discards all windows, lets `replay` add members under a temporary epoch, then makes the epoch
   * current. The caller makes sure that only one rebuild runs at a time. Rejects with StateLostError
   * when the server lost its memory once more meanwhile.
   */
  rebuild(replay: (add: (step: WindowStep) => Promise<void>) => Promise<void>): Promise<void>;
}

/** An event from further ahead than this of the ledger's clock counts as happening when it is accepted. */
export const futureMs = 5 * 60_000;

/** The reconciler's back-off: the first and the longest wait before an event is emitted again. */
export const backoffMs = { first: 60_000, longest: 60 * 60_000 };

/** One of the group commits: below a delivery's own deadline, so that its answer tells what happened. */
export const batchLimits = {
  maxItems: 500,
  maxBytes: 8 * 1024 * 1024,
  maxQueued: 10_000,
  maxQueuedBytes: 64 * 1024 * 1024,
  deadlineMs: 15_000,
};

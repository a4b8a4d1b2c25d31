/** What a caller has left after a request. */
export interface Allowance {
  readonly allowed: boolean;
  /** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers), and `Retry-After` when refused. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface RateLimitOptions {
  /** Requests a minute that a caller may make, all at once or spread; 0 is no limit. */
  readonly perMinute: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Callers remembered at most; the one that was quiet longest is forgotten first. */
  readonly maxCallers?: number;
}

interface Bucket {
  tokens: number;
  filledMs: number;
}

/**
 * A bucket of tokens for every caller of this process, refilled evenly. It is kept in memory: with several
 * replicas each has its own, and the limit protects a process rather than counting what somebody owes.
 */
export function createRateLimit({ perMinute, now, maxCallers = 10_000 }: RateLimitOptions) {
  const buckets = new Map<string, Bucket>();
  const perMs = perMinute / 60_000;

  /** The caller's bucket, filled up to now; moved behind all others, so that the first one is the quietest. */
  function bucketOf(caller: string): Bucket {
    const known = buckets.get(caller) ?? { tokens: perMinute, filledMs: now() };
    const elapsedMs = Math.max(0, now() - known.filledMs);
    const bucket = { tokens: Math.min(perMinute, known.tokens + elapsedMs * perMs), filledMs: now() };
    buckets.delete(caller);
    buckets.set(caller, bucket);
    const [quietest] = buckets.keys();
    if (buckets.size > maxCallers && quietest !== undefined) buckets.delete(quietest);
    return bucket;
  }

  return (caller: string): Allowance => {
    if (perMinute === 0) return { allowed: true, headers: {} };
    const bucket = bucketOf(caller);
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    const fullSeconds = Math.ceil((perMinute - bucket.tokens) / perMs / 1000);
    const nextSeconds = Math.max(1, Math.ceil((1 - bucket.tokens) / perMs / 1000));
    return {
      allowed,
      headers: {
        "ratelimit-policy": `"default";q=${perMinute};w=60`,
        ratelimit: `"default";r=${Math.floor(bucket.tokens)};t=${fullSeconds}`,
        ...(allowed ? {} : { "retry-after": String(nextSeconds) }),
      },
    };
  };
}

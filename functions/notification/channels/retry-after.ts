/** No receiver may silence a channel for longer with one answer. */
const maxRetryAfterMs = 3_600_000;

/** `Retry-After` in milliseconds from now (RFC 9110 §10.2.3): seconds, with decimals as Discord has them, or a date. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(value.trim())) return capped(Number(value) * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : capped(date - now);
}

/** Milliseconds that a receiver asks for, none of them negative and an hour at most. */
export function capped(ms: number): number {
  return Math.round(Math.min(Math.max(ms, 0), maxRetryAfterMs));
}

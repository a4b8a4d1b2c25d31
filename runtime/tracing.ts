import type { Extensions } from "../events/event.ts";

/** Where a piece of work stands in a distributed trace (W3C Trace Context, level 1). */
export interface Trace {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** The span of this piece of work: 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  /** 2 lower-case hex digits; bit 0 is "sampled". */
  readonly flags: string;
  readonly tracestate?: string;
}

/** What came in: the caller's span. */
export type Traceparent = Pick<Trace, "traceId" | "spanId" | "flags">;

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeros = /^0+$/;
const maxTracestateLength = 512;

/** Reads a `traceparent`; `undefined` when it is not valid, as the specification asks (§3.2.2). */
export function parseTraceparent(value: unknown): Traceparent | undefined {
  if (typeof value !== "string") return undefined;
  const [, version, traceId, spanId, flags, rest] = form.exec(value) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  // Version ff is forbidden; version 00 has nothing after the flags, later ones may.
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  return zeros.test(traceId) || zeros.test(spanId) ? undefined : { traceId, spanId, flags };
}

/** Where the context of a delivery may stand. */
export interface TraceSource {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of the event delivered; brokers other than ours leave the context here. */
  readonly extensions?: Extensions;
}

/** Makes `bytes` random bytes as lower-case hex. */
export type RandomHex = (bytes: number) => string;

/**
 * The trace a delivery belongs to, with a new span for it. The header of the last hop wins over the
 * extension, which names the originating span; without a valid one a new trace begins, not sampled.
 */
export function continueTrace({ headers, extensions }: TraceSource, randomHex: RandomHex): Trace {
  const spanId = nonZero(randomHex, 8);
  const fromHeader = parseTraceparent(headers["traceparent"]);
  const parent = fromHeader ?? parseTraceparent(extensions?.["traceparent"]);
  if (!parent) return { traceId: nonZero(randomHex, 16), spanId, flags: "00" };
  const tracestate = fromHeader ? headers["tracestate"] : extensions?.["tracestate"];
  const known = typeof tracestate === "string" && isTracestate(tracestate);
  return { traceId: parent.traceId, spanId, flags: parent.flags, ...(known ? { tracestate } : {}) };
}

export function toTraceparent({ traceId, spanId, flags }: Traceparent): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

/** Passed on as it is when it can be; a broken one is dropped (§3.3.1). */
function isTracestate(value: string): boolean {
  return value.length <= maxTracestateLength && /^[\x21-\x7E]+(?:[ \t]*,[ \t]*[\x21-\x7E]+)*$/.test(value);
}

function nonZero(randomHex: RandomHex, bytes: number): string {
  const id = randomHex(bytes);
  return zeros.test(id) ? `${id.slice(0, -1)}1` : id;
}

import { CircuitState, circuitBreaker, ConsecutiveBreaker, ConstantBackoff, handleWhen } from "cockatiel";

import { toInstant } from "../../../events/time.ts";
import { ChannelError, type Receipt } from "../channels/channel.ts";

export interface CircuitPolicy {
  /** Failures in a row that may pass, after which a receiver counts as away. */
  readonly breakAfter: number;
  /** How long it is left alone then; doubles with every probe that fails. */
  readonly firstBreakMs: number;
  readonly maxBreakMs: number;
}

/** Whether a channel's receiver is thought to be there, as people see it. */
export interface CircuitView {
  readonly state: "closed" | "open" | "half-open";
  /** When it came into this state, RFC 3339. */
  readonly since: string;
}

/** The breaker of one channel. */
export interface Circuit {
  /** How many of `room` further attempts may begin, with `inFlight` under way. */
  allow(room: number, inFlight: number): number;
  /** Makes an attempt and learns from how it ends. */
  execute(send: () => Promise<Receipt>): Promise<Receipt>;
  /** Until the next probe may be made; 0 when it may now or none is needed. */
  waitMs(): number;
  view(): CircuitView;
}

export interface CircuitDeps extends CircuitPolicy {
  /** The wall clock, for people only. */
  readonly now: () => number;
  /** A clock that never jumps, in milliseconds. */
  readonly elapsed: () => number;
  /** Told when it opens, for how many milliseconds. */
  readonly onOpen: (forMs: number) => void;
  readonly onClose: () => void;
}

/**
 * A circuit breaker: after some passing failures in a row the receiver is left alone for a while, then one
 * attempt probes it. What a receiver refuses for good says that it is there, and is no failure here.
 *
 * When a probe is due is decided here, by a clock that never jumps. The library would ask the wall clock,
 * so its own wait is one that is always over.
 */
export function createCircuit(deps: CircuitDeps): Circuit {
  const breaker = circuitBreaker(handleWhen(isPassing), {
    breaker: new ConsecutiveBreaker(deps.breakAfter),
    halfOpenAfter: new ConstantBackoff(Number.NEGATIVE_INFINITY),
  });
  let since = deps.now();
  let probeAt = 0;
  let breaks = 0;
  breaker.onStateChange((state) => {
    since = deps.now();
    if (state === CircuitState.Open) {
      const forMs = breakMs(deps, breaks, breaker.lastFailure);
      breaks += 1;
      probeAt = deps.elapsed() + forMs;
      deps.onOpen(forMs);
    } else if (state === CircuitState.Closed) {
      breaks = 0;
      deps.onClose();
    }
  });

  return {
    allow(room, inFlight) {
      if (breaker.state === CircuitState.Closed) return Math.max(0, room - inFlight);
      return inFlight === 0 && deps.elapsed() >= probeAt ? 1 : 0;
    },
    execute: (send) => breaker.execute(send),
    waitMs() {
      return breaker.state === CircuitState.Open ? Math.max(0, probeAt - deps.elapsed()) : 0;
    },
    view: () => ({ state: names.get(breaker.state) ?? "closed", since: toInstant(since) }),
  };
}

const names: ReadonlyMap<CircuitState, CircuitView["state"]> = new Map([
  [CircuitState.Closed, "closed"],
  [CircuitState.Open, "open"],
  [CircuitState.HalfOpen, "half-open"],
]);

/** How long the receiver is left alone: longer each time, and at least as long as it asks for. */
function breakMs({ firstBreakMs, maxBreakMs }: CircuitPolicy, breaks: number, failure: unknown): number {
  const asked = retryAfterOf(failure);
  return Math.min(maxBreakMs, Math.max(asked, firstBreakMs * 2 ** Math.min(breaks, 30)));
}

function retryAfterOf(failure: unknown): number {
  const error: unknown =
    typeof failure === "object" && failure && "error" in failure ? failure.error : undefined;
  return error instanceof ChannelError ? (error.retryAfterMs ?? 0) : 0;
}

function isPassing(error: unknown): boolean {
  return !(error instanceof ChannelError) || error.passing;
}

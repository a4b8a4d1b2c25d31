import { attemptDelivery, type Attempt, type DispatchDeps } from "./attempt.ts";
import type { DeliveryOutcome, Handler, Message, Verdict } from "./broker.ts";
import { nextStep, noAnswer, type NextStep } from "./delivery.ts";
import { absentTime } from "./ingress-rules.ts";
import { toRequest } from "./message.ts";
import type { Lane } from "./topology.ts";

/** Pauses between tries to store a dead letter; there is no last one. */
const deadLetterBackoffMs = { first: 100, longest: 5000 };

/**
 * Delivers the messages of one lane: POST, retry, reply, dead letter, as the dispatcher of the Knative
 * RabbitMQ Broker does, except where that one can lose an event. Ours acknowledges only once the dead
 * letter is confirmed, holds what a dead letter sink does not take, and leaves in the queue what a
 * shutdown or a lost connection interrupts.
 */
export function createDispatcher(deps: DispatchDeps, lane: Lane): Handler {
  const { clock } = deps;
  return async (message, taken) => {
    const request = toRequest(withTime(message, clock.now()), { escape: lane.deadLetter });
    for (let number = 1; ; number += 1) {
      const attempt = await attemptDelivery(deps, lane, { request, signal: taken.signal });
      taken.survived();
      const settle = (outcome: DeliveryOutcome): Verdict => {
        const { trigger, deadLetter } = lane;
        deps.observer.onDelivered?.({
          trigger,
          deadLetter,
          outcome,
          status: attempt.status,
          attempt: number,
          message,
        });
        return outcome === "left" ? "leave" : "ack";
      };
      const step = stepAfter(attempt, number, { lane, replyFailure: deps.profile.replyFailure });
      if (step.kind === "ack") return settle("delivered");
      if (taken.signal.aborted || attempt.kind === "interrupted") return settle("left");
      if (step.kind === "drop") return settle("dropped");
      if (step.kind === "dead-letter") {
        const letter = toDeadLetter(message, { dest: destinationOf(deps, lane), code: attempt.status });
        return settle(
          (await storeDeadLetter(deps, lane, { letter, signal: taken.signal })) ? "dead-lettered" : "left",
        );
      }
      settle("retried");
      await clock.sleep(step.afterMs, taken.signal);
      if (taken.signal.aborted) return settle("left");
    }
  };
}

/** An event without `time` gets that of its dispatch, once per delivery. */
function withTime(message: Message, now: number): Message {
  const { time } = message.headers;
  if (time !== undefined && time !== absentTime) return message;
  return { headers: { ...message.headers, time: new Date(now).toISOString() }, body: message.body };
}

function stepAfter(
  { status, kind }: Attempt,
  number: number,
  { lane, replyFailure }: { readonly lane: Lane; readonly replyFailure: "dead-letter" | "redeliver" },
): NextStep {
  if (kind === "answered" || kind === "interrupted") return nextStep(status, number, lane.policy);
  if (kind === "reply-failed" && replyFailure === "redeliver") return nextStep(noAnswer, number, lane.policy);
  return { kind: lane.deadLetterExchange === undefined ? "drop" : "dead-letter" };
}

function toDeadLetter(message: Message, failure: { readonly dest: string; readonly code: number }): Message {
  const headers = { ...message.headers, knativeerrordest: failure.dest, knativeerrorcode: failure.code };
  return { headers, body: message.body };
}

function destinationOf(deps: DispatchDeps, lane: Lane): string {
  try {
    return deps.resolve(lane.destination);
  } catch {
    return lane.destination.service ?? lane.destination.uri ?? lane.trigger;
  }
}

/** Resolves to false only when interrupted. A letter that no queue takes is not stored, so `routed` counts. */
async function storeDeadLetter(
  deps: DispatchDeps,
  lane: Lane,
  { letter, signal }: { readonly letter: Message; readonly signal: AbortSignal },
): Promise<boolean> {
  const exchange = lane.deadLetterExchange;
  if (exchange === undefined) return false;
  for (let waitMs = deadLetterBackoffMs.first; !signal.aborted; waitMs *= 2) {
    const stored = await deps.publish(exchange, letter).then(
      ({ routed }) => routed,
      () => false,
    );
    if (stored) return true;
    await deps.clock.sleep(Math.min(waitMs, deadLetterBackoffMs.longest), signal);
  }
  return false;
}

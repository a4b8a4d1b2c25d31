import type { Broker, BrokerObserver, Message } from "./broker.ts";
import { nextStep, noAnswer } from "./delivery.ts";
import { admits } from "./filter.ts";
import type { Destination } from "./manifests.ts";
import type { OutgoingRequest } from "./message.ts";
import type { Profile } from "./profile.ts";
import { readReply, type Answer } from "./reply.ts";
import type { Lane } from "./topology.ts";

/** POSTs to a subscriber; rejects when there is no answer within the deadline (0 is none). */
export type Post = (url: string, request: OutgoingRequest, timeoutMs: number) => Promise<Answer>;

export interface Clock {
  readonly now: () => number;
  /** Resolves after `ms`, or as soon as the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface DispatchDeps {
  readonly publish: Broker["publish"];
  /** Hands a reply to the ingress; answers with the status the ingress gives. */
  readonly accept: (reply: Message) => Promise<number>;
  readonly post: Post;
  /** Throws when the destination is not known (yet): a failed attempt. */
  readonly resolve: (destination: Destination) => string;
  readonly profile: Profile;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly observer: BrokerObserver;
}

/** How one attempt ended, its reply included. */
export interface Attempt {
  /** The subscriber's, or -1. */
  readonly status: number;
  readonly kind:
    | "answered"
    /** The subscriber is done and its reply could not be stored. */
    | "reply-failed"
    /** Stopped while its reply was being stored. */
    | "interrupted"
    /** No request can carry this event. */
    | "unsendable";
}

/** Makes one attempt and, when it succeeds, stores the reply. Never throws. */
export async function attemptDelivery(
  deps: DispatchDeps,
  lane: Lane,
  { request, signal }: { readonly request: OutgoingRequest | undefined; readonly signal: AbortSignal },
): Promise<Attempt> {
  if (!request) return { status: noAnswer, kind: "unsendable" };
  const headers = deps.profile.preferReply ? { ...request.headers, prefer: "reply" } : request.headers;
  const { policy } = lane;
  let answer: Answer;
  try {
    answer = await deps.post(deps.resolve(lane.destination), { ...request, headers }, policy.timeoutMs);
  } catch {
    return { status: noAnswer, kind: "answered" };
  }
  const { status } = answer;
  const successful = nextStep(status, 1, policy).kind === "ack";
  return { status, kind: successful ? await settleReply(deps, lane, { answer, signal }) : "answered" };
}

async function settleReply(
  deps: DispatchDeps,
  lane: Lane,
  { answer, signal }: { readonly answer: Answer; readonly signal: AbortSignal },
): Promise<Attempt["kind"]> {
  if (answer.status === 202 && !deps.profile.replyOn202) return "answered";
  const time = new Date(deps.clock.now()).toISOString();
  const reply = readReply(answer, { newId: deps.newId, time });
  switch (reply.kind) {
    case "none":
      return "answered";
    case "ignored":
      deps.observer.onReplyIgnored?.(lane.trigger, reply.reason);
      return "answered";
    case "incomplete":
      return "reply-failed";
    case "event": {
      const loops = !lane.deadLetter && admits(lane.binding, reply.message.headers);
      if (loops) deps.observer.onLoop?.(lane.trigger, reply.message);
      return storeReply(deps, lane, { reply: reply.message, signal });
    }
    default:
      return reply satisfies never;
  }
}

async function storeReply(
  deps: DispatchDeps,
  lane: Lane,
  { reply, signal }: { readonly reply: Message; readonly signal: AbortSignal },
): Promise<Attempt["kind"]> {
  // The ingress refusing a reply would lose it, so here a refusal is a failure in every profile.
  const policy = { ...lane.policy, refusal: "failure", undeliverable: "drop" } as const;
  for (let number = 1; ; number += 1) {
    const step = nextStep(await deps.accept(reply), number, policy);
    if (step.kind === "ack") return "answered";
    if (step.kind !== "retry") return "reply-failed";
    await deps.clock.sleep(step.afterMs, signal);
    if (signal.aborted) return "interrupted";
  }
}

import { ChannelError, type ChannelDeps, type Receipt } from "./channel.ts";
import type { GuardedAnswer, GuardedRequest } from "./guard.ts";

/** How much of an answer is kept, in characters of the excerpt. */
const maxExcerpt = 2048;

/** What an answer means: `passing` is a failure that may pass. */
export type Verdict = "delivered" | "passing" | "permanent";

export interface Exchange {
  readonly request: Omit<GuardedRequest, "signal">;
  readonly signal: AbortSignal;
  /** Who answers, for people: `Slack`. */
  readonly receiver: string;
  /** What the vendor documents its answers to mean; `judgeStatus` when absent. */
  readonly judge?: (answer: GuardedAnswer) => Verdict;
  /** A wish to be left alone that is not in the header. */
  readonly retryAfterMs?: (answer: GuardedAnswer) => number | undefined;
}

/**
 * One request and what its answer means: resolves when it says that the message was taken, and rejects with
 * a ChannelError otherwise. What is kept of the answer holds no secret.
 */
export async function exchange(
  { request, signal, receiver, judge = judgeStatus, retryAfterMs }: Exchange,
  deps: Pick<ChannelDeps, "post" | "secrets">,
): Promise<Receipt> {
  const answer = await deps.post({ ...request, signal });
  const receipt = toReceipt(answer, deps);
  const verdict = judge(answer);
  if (verdict === "delivered") return receipt;
  const askedMs = answer.retryAfterMs ?? retryAfterMs?.(answer);
  throw new ChannelError(`${receiver} answered ${answer.status}.`, verdict === "passing", {
    ...receipt,
    ...(askedMs !== undefined && { retryAfterMs: askedMs }),
  });
}

export interface JsonRequest {
  readonly url: string;
  /** Of the delivery: the same on every attempt, for receivers and proxies that know what to do with it. */
  readonly id: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** A POST of JSON; ids of deliveries are UUIDs, so that they fit into a header. */
export function jsonRequest({ url, id, body, headers, timeoutMs }: JsonRequest): Exchange["request"] {
  return {
    url,
    headers: {
      "content-type": "application/json",
      "user-agent": "auditflow",
      "idempotency-key": id,
      ...headers,
    },
    body: JSON.stringify(body),
    timeoutMs,
  };
}

/** What is kept of an answer: its status and how it begins, without secrets. */
export function toReceipt(answer: GuardedAnswer, { secrets }: Pick<ChannelDeps, "secrets">): Receipt {
  return { status: answer.status, response: excerptOf(secrets.scrub(answer.body)) };
}

/**
 * The usual reading: 2xx is success; a timeout, too many requests and a failing server may pass; what is
 * left, redirects among it, asks for another request than ours.
 */
export function judgeStatus({ status }: Pick<GuardedAnswer, "status">): Verdict {
  if (status >= 200 && status <= 299) return "delivered";
  return status === 408 || status === 425 || status === 429 || status >= 500 ? "passing" : "permanent";
}

/** At most 2 KiB in UTF-8, storable as text. */
function excerptOf(text: string): string {
  const bytes = Buffer.from(text.replaceAll("\0", "").toWellFormed());
  if (bytes.length <= maxExcerpt) return bytes.toString();
  // A character that was cut in two would become a replacement character.
  return bytes
    .subarray(0, maxExcerpt)
    .toString()
    .replace(/\uFFFD$/, "");
}

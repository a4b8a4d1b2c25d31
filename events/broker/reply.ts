import type { Message } from "./broker.ts";
import { MessageError } from "./ingress-rules.ts";
import { readDraft, toMessage, type Draft, type HttpContent } from "./message.ts";

/** A subscriber's answer. */
export interface Answer extends HttpContent {
  readonly status: number;
}

/** What an answer says beyond its status. */
export type Reply =
  | { readonly kind: "none" }
  /** Looks like an event and cannot be read as one: passed over, as the Knative dispatcher does. */
  | { readonly kind: "ignored"; readonly reason: string }
  /** An event without type or source: the delivery fails. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "event"; readonly message: Message };

/** What a reply may leave out is given by the broker. */
export interface ReplyDefaults {
  readonly newId: () => string;
  /** RFC 3339. */
  readonly time: string;
}

/** Reads the reply out of an answer. */
export function readReply(answer: Answer, defaults: ReplyDefaults): Reply {
  try {
    const draft = readDraft(answer);
    return draft ? completeReply(draft, defaults) : { kind: "none" };
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    return { kind: "ignored", reason: error.message };
  }
}

function completeReply(draft: Draft, { newId, time }: ReplyDefaults): Reply {
  const { id, type, source, specversion } = draft.attributes;
  if (specversion !== "1.0" && specversion !== "0.3") {
    return { kind: "ignored", reason: `specversion '${String(specversion ?? "")}' is not 1.0 or 0.3` };
  }
  if (!type || !source) return { kind: "incomplete" };
  const attributes = { time, ...draft.attributes, id: id || newId() };
  return { kind: "event", message: toMessage({ ...draft, attributes }) };
}

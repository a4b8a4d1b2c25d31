import type { Event } from "../../../events/event.ts";
import { decodeRequest, isCloudEvent } from "../../../events/http.ts";
import { InvalidEventError } from "../../../events/invalid-event.ts";
import type { Sink } from "../../../runtime/function.ts";
import { clearRejected, clearStored } from "../../../runtime/ledger/marks.ts";
import { digestOf } from "../../../runtime/ledger/stored-event.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { type ReplayHosts, toDestination } from "./destination.ts";
import type { StoredLetter } from "./letters.ts";
import { toMessage, toResent } from "./message.ts";
import { type Answer, AwayError, type PostTo } from "./post.ts";

/** What was sent, where to, and what is worth saying about it. */
export interface Sent {
  /** An address, or `broker`. */
  readonly destination: string;
  /** What the destination answered; the broker only confirms. */
  readonly status?: number;
  /** Empty when what was sent is no CloudEvent. */
  readonly event_id: string;
  readonly detail?: string;
}

export type Replayed =
  | ({ readonly kind: "replayed" } & Sent)
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "failed"; readonly detail: string };

export interface ReplayDeps extends ReplayHosts {
  readonly postgres: Postgres;
  readonly sink: Sink;
  readonly post: PostTo;
}

/** Sends the event of a dead letter again; tells what came of it and marks nothing on the letter. */
export function createReplay(deps: ReplayDeps) {
  return async (letter: StoredLetter, body: unknown): Promise<Replayed> => {
    if (letter.truncated && body === undefined) {
      return { kind: "refused", detail: "Only the beginning of the event was kept: replay it with a body." };
    }
    try {
      if (letter.kind === "rejected") return await toBroker(deps, letter, body);
      return await toOrigin(deps, letter, body);
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error;
      return { kind: "refused", detail: `It is no CloudEvent: ${error.message}` };
    }
  };
}

const edited = "Edited, it goes under an id of its own: under the old one the ledger knows other bytes.";

/**
 * To whoever the broker delivers such events to. The ledger forgets first that the event was refused, if it
 * holds this very event, so that it is pending until it is judged again, also when the broker loses it.
 */
async function toBroker(
  { postgres, sink }: ReplayDeps,
  letter: StoredLetter,
  body: unknown,
): Promise<Replayed> {
  const { event, isEdited } = toResent(letter, body);
  if (letter.kind === "rejected" && !isEdited) await forgetRefusal(postgres, event);
  try {
    await sink([event]);
  } catch (error) {
    return { kind: "failed", detail: `The broker did not confirm it: ${messageOf(error)}` };
  }
  const sent = { kind: "replayed", destination: "broker", event_id: event.id } as const;
  return isEdited ? { ...sent, detail: edited } : sent;
}

async function forgetRefusal(postgres: Postgres, event: Event): Promise<void> {
  const known = [{ event, digest: digestOf(event) }];
  await postgres.transaction(async (sql) => {
    await clearRejected(sql, known);
    await clearStored(sql, known);
  });
}

/** To where the broker could not deliver it; to the broker, when nobody is there or nobody knows where. */
async function toOrigin(deps: ReplayDeps, letter: StoredLetter, body: unknown): Promise<Replayed> {
  const destination = toDestination(letter.origin, deps);
  if (destination.kind === "refused") return destination;
  if (destination.kind === "none") return toBrokerInstead(deps, letter, body);
  const { id, ...message } = toMessage(letter, body);
  let answer: Answer;
  try {
    answer = await deps.post(destination.url, message);
  } catch (error) {
    if (error instanceof AwayError) return toBrokerInstead(deps, letter, body);
    return { kind: "failed", detail: `${destination.url} did not answer: ${messageOf(error)}` };
  }
  const { status } = answer;
  if (status < 200 || status > 299) {
    return { kind: "failed", detail: `${destination.url} answered ${status}.` };
  }
  const lost = await sendReply(deps.sink, answer);
  if (lost !== undefined) return { kind: "failed", detail: lost };
  const sent = { kind: "replayed", destination: destination.url, status, event_id: id ?? "" } as const;
  return id !== null && id !== letter.event.id && body !== undefined ? { ...sent, detail: edited } : sent;
}

async function toBrokerInstead(deps: ReplayDeps, letter: StoredLetter, body: unknown): Promise<Replayed> {
  const result = await toBroker(deps, letter, body);
  if (result.kind !== "replayed") return result;
  const where = `It went to the broker, because ${letter.origin} cannot be reached.`;
  return { ...result, detail: result.detail === undefined ? where : `${where} ${result.detail}` };
}

/** An event that the destination answers with is for the broker, which would have taken it. */
async function sendReply(sink: Sink, { headers, body }: Answer): Promise<string | undefined> {
  if (!isCloudEvent(headers)) return undefined;
  try {
    await sink([decodeRequest({ headers, body })]);
    return undefined;
  } catch (error) {
    return `It was taken, but the event it was answered with was not confirmed by the broker: ${messageOf(error)}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

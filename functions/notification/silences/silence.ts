import { toColumn } from "../../../runtime/ledger/stored-event.ts";
import { parseQuery, usesEventData } from "../query/query.ts";

/** What people do not want to be told of for a while. Times are RFC 3339. */
export interface Silence {
  readonly silence_id: string;
  /** In the query language. */
  readonly query: string;
  readonly author: string;
  readonly comment: string;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly created_at: string;
  /** Who ended it before its time, and when. */
  readonly expired_by: string | null;
  readonly expired_at: string | null;
}

/** A silence somebody wants; times in epoch milliseconds. It starts now when nothing else is said. */
export interface NewSilence {
  readonly query: string;
  readonly author: string;
  readonly comment: string;
  readonly startsAt?: number | undefined;
  readonly endsAt: number;
}

export type CheckedSilence = NewSilence & { readonly startsAt: number };

const maxSilenceMs = 366 * 86_400_000;
/** Silences that are in force or still to come: each is tried on every new alert. */
export const maxActive = 1000;
const maxComment = 4096;
const maxAuthor = 256;
const maxQuery = 4096;

/** A silence that cannot be; `pointer` names the member at fault. What is wrong with a query is a QueryError. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";
  /** `null` when there are too many. */
  readonly pointer: "/query" | "/author" | "/comment" | "/starts_at" | "/ends_at" | null;

  constructor(pointer: SilenceError["pointer"], message: string) {
    super(message);
    this.pointer = pointer;
  }
}

/** The silence ready to be stored. Throws SilenceError, and QueryError for the query. */
export function checkSilence(wanted: NewSilence, now: number): CheckedSilence {
  const author = toText("/author", wanted.author, maxAuthor);
  const comment = toText("/comment", wanted.comment, maxComment);
  const startsAt = wanted.startsAt ?? now;
  const { endsAt } = wanted;
  if (Number.isNaN(startsAt) || startsAt > now + maxSilenceMs) {
    throw new SilenceError("/starts_at", `Expected a time within a year, got ${toTime(startsAt)}.`);
  }
  if (!(endsAt > now && endsAt > startsAt && endsAt <= startsAt + maxSilenceMs)) {
    const message = `Expected a time after now and after its start, within a year of it, got ${toTime(endsAt)}.`;
    throw new SilenceError("/ends_at", message);
  }
  return { query: checkSilenceQuery(wanted.query), author, comment, startsAt, endsAt };
}

/**
 * The query of a silence, checked: it is tried on summaries of alerts, which do not carry the data of events.
 * Throws SilenceError and QueryError.
 */
export function checkSilenceQuery(text: string): string {
  if (text.length > maxQuery) {
    throw new SilenceError("/query", `Expected at most ${maxQuery} characters, got ${text.length}.`);
  }
  const query = parseQuery(text);
  if (text.trim() === "") {
    throw new SilenceError("/query", "Expected a query: an empty one would silence everything.");
  }
  if (usesEventData(query)) {
    const message = "A silence cannot ask for the data of events (data.…, ext.…): use the keys of alerts.";
    throw new SilenceError("/query", message);
  }
  return text.trim();
}

function toText(pointer: SilenceError["pointer"], given: string, max: number): string {
  const text = toColumn(given).trim();
  if (text === "") throw new SilenceError(pointer, "Expected text, got none.");
  if (text.length > max) {
    throw new SilenceError(pointer, `Expected at most ${max} characters, got ${text.length}.`);
  }
  return text;
}

function toTime(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? String(ms) : time.toISOString();
}

/** Whether a silence is in force. */
export function isActive(silence: Silence, now: number): boolean {
  const { starts_at, ends_at, expired_at } = silence;
  return expired_at === null && Date.parse(starts_at) <= now && now < Date.parse(ends_at);
}

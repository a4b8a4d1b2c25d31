import type { FunctionHost } from "../../../runtime/function.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import type { ReplayHosts } from "./destination.ts";
import {
  createLetters,
  type DeadLetterDetail,
  type DeadLetterQuery,
  type DeadLetterView,
  type LetterStatus,
} from "./letters.ts";
import type { PostTo } from "./post.ts";
import { createReplay, type Sent } from "./replay.ts";

export type ReplayResult =
  | ({ readonly kind: "replayed" } & Sent)
  | { readonly kind: "not-found" }
  | { readonly kind: "handled"; readonly status: LetterStatus }
  /** It cannot be sent: cut, no CloudEvent, or its destination is not allowed. */
  | { readonly kind: "refused"; readonly detail: string }
  /** It was sent and not taken; the letter is as it was. */
  | { readonly kind: "failed"; readonly detail: string };

export type DiscardResult =
  | { readonly kind: "discarded"; readonly letter: DeadLetterView }
  | { readonly kind: "not-found" }
  | { readonly kind: "handled"; readonly status: LetterStatus };

/** What people do with dead letters. Every call throws UnavailableError while PostgreSQL is away. */
export interface DeadLetters {
  /** Newest first. Throws CursorError. */
  list(
    query: DeadLetterQuery,
  ): Promise<{ readonly items: readonly DeadLetterView[]; readonly next: string | null }>;
  find(id: string): Promise<DeadLetterDetail | undefined>;
  /**
   * Sends the event again: an undeliverable one to where it was meant to go, a rejected one to the broker.
   * May be done again, but not to one that was discarded. `body` stands in for the letter's: text as it is,
   * anything else as JSON.
   */
  replay(
    id: string,
    wish: { readonly by: string; readonly reason?: string; readonly body?: unknown },
  ): Promise<ReplayResult>;
  /** Closes it; it stays to be seen. */
  discard(id: string, wish: { readonly by: string; readonly reason: string }): Promise<DiscardResult>;
}

export interface DeadLettersDeps extends Pick<FunctionHost<unknown>, "sink" | "log">, ReplayHosts {
  readonly postgres: Postgres;
  readonly post: PostTo;
}

export function createDeadLetters(deps: DeadLettersDeps): DeadLetters {
  const letters = createLetters(deps.postgres);
  const replay = createReplay(deps);
  const { log } = deps;

  return {
    list: (query) => letters.list(query),
    async find(id) {
      const letter = await letters.find(id);
      if (!letter) return undefined;
      const { bytes, last: _, ...view } = letter;
      return { ...view, body: toText(bytes), body_base64: bytes.toString("base64") };
    },
    async replay(id, { by, reason, body }) {
      const letter = await letters.find(id);
      if (!letter) return { kind: "not-found" };
      if (letter.status === "discarded") return { kind: "handled", status: "discarded" };
      const result = await replay(letter, body);
      log.info({ dead_letter: id, by, result: result.kind }, "a dead letter was replayed");
      if (result.kind === "replayed") {
        await letters.handle(letter, { status: "replayed", by, reason: reason || null });
      }
      return result;
    },
    async discard(id, { by, reason }) {
      const letter = await letters.find(id);
      if (!letter) return { kind: "not-found" };
      const handled = await letters.handle(letter, { status: "discarded", by, reason });
      if (!handled) return { kind: "handled", status: "discarded" };
      log.info({ dead_letter: id, by }, "a dead letter was discarded");
      return { kind: "discarded", letter: handled };
    },
  };
}

function toText(bytes: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

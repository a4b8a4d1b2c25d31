import { createHash } from "node:crypto";
import { v5 } from "uuid";

import type { Event } from "./event.ts";

/** Root of every id AuditFlow derives. Changing it changes every derived id: never do. */
const namespace = "5b0c8a5e-6f5e-5d5c-9d0f-2f1d0a6b7c11";

/** What identifies an event: `source` and `id` together (CloudEvents spec §3.1.1). */
export type EventIdentity = Pick<Event, "source" | "id">;

/**
 * One UUID for a list of parts. The parts are length-prefixed, so that `["ab", "c"]` and `["a", "bc"]`
 * differ whatever characters they contain.
 */
export function deriveUuid(...parts: readonly string[]): string {
  return v5(parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(""), namespace);
}

/**
 * The id of an event caused by another one. Brokers deliver at least once, so a function may run twice
 * for one event; deriving the child's id from its cause makes both runs produce the same child.
 */
export function deriveId(cause: EventIdentity, ...parts: readonly string[]): string {
  return deriveUuid(cause.source, cause.id, ...parts);
}

/** The deduplication key of an event: 32 bytes, the SHA-256 of its length-prefixed source and id. */
export function eventKey({ source, id }: EventIdentity): Buffer {
  return createHash("sha256")
    .update(`${Buffer.byteLength(source)}:${source}${id}`)
    .digest();
}

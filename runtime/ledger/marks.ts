import type postgres from "postgres";

import { type EventIdentity, eventKey } from "../../events/identity.ts";
import { arrayLiteral } from "../postgres/array.ts";
import { backoffMs } from "./limits.ts";
import { addToCounts } from "./sql.ts";
import { digestOf, fromText, toColumn } from "./stored-event.ts";

/**
 * Marks alert events as stored. For notification's own transaction; unknown ones are ignored. Rows are
 * locked in one order, so that transactions that share some cannot deadlock.
 */
export async function markStored(sql: postgres.ISql, detections: readonly EventIdentity[]): Promise<void> {
  if (detections.length === 0) return;
  await sql.unsafe(markStoredText, [arrayLiteral(detections.map(eventKey))], { prepare: true });
}

const markStoredText = `
with locked as (
  select cause, ordinal from detections
  where key = any($1::bytea[]) and stored_at is null
  order by key, cause, ordinal
  for update
)
update detections as known set stored_at = now()
from locked
where known.cause = locked.cause and known.ordinal = locked.ordinal`;

/** An event that is refused for ever. */
export interface Rejection {
  readonly event: EventIdentity;
  readonly reason: string;
}

/** Marks events as rejected, unless they were evaluated. For notification's own transaction. */
export async function markRejected(sql: postgres.ISql, rejections: readonly Rejection[]): Promise<void> {
  const byKey = new Map(rejections.map(({ event, reason }) => [eventKey(event).toString("hex"), reason]));
  if (byKey.size === 0) return;
  const keys = Array.from(byKey.keys(), (key) => Buffer.from(key, "hex"));
  const reasons = Array.from(byKey.values(), (reason) => toColumn(reason).slice(0, 4096));
  await sql.unsafe(markRejectedText, [arrayLiteral(keys), arrayLiteral(reasons)], { prepare: true });
}

const markRejectedText = `
with rejections as (
  select * from unnest($1::bytea[], $2::text[]) as rejection (key, reason)
), locked as (
  select key from event_keys
  where key in (select key from rejections) and evaluated_at is null and rejected_at is null
  order by key
  for update
), marked as (
  update event_keys as known set rejected_at = now(), rejected_reason = reason
  from locked join rejections using (key)
  where known.key = locked.key
  returning known.key
)
${addToCounts("marked", { rejected: "count(*)" })}`;

/**
 * Puts off what was emitted again: doubling from a minute to an hour. What was just emitted is being
 * evaluated and stored right now, so the rows are locked in the order in which those lock them.
 */
export async function markEmitted(
  sql: postgres.ISql,
  table: keyof typeof primaryKeys,
  emitted: readonly EventIdentity[],
): Promise<void> {
  if (emitted.length === 0) return;
  await sql.unsafe(putOffText(table), [arrayLiteral(emitted.map(eventKey))], { prepare: true });
}

const primaryKeys = { event_keys: ["key"], detections: ["cause", "ordinal"] } as const;

function putOffText(table: keyof typeof primaryKeys): string {
  const columns = primaryKeys[table];
  return `
with locked as (
  select ${columns.join(", ")} from ${table}
  where key = any($1::bytea[])
  order by ${["key", ...columns].join(", ")}
  for update
)
update ${table} as known set attempts = attempts + 1, next_at = now() + interval '1 millisecond' *
  least(${backoffMs.longest}, ${backoffMs.first} * power(2, least(attempts, 20)))
from locked
where ${columns.map((column) => `known.${column} = locked.${column}`).join(" and ")}`;
}

/** An event as the ledger tells it from others of its source and id. */
export interface Digested {
  readonly event: EventIdentity;
  readonly digest: Buffer;
}

/**
 * Makes rejected events pending again, when the ledger holds them with these very digests: somebody wants
 * them judged once more. For a transaction of the caller's own.
 */
export async function clearRejected(sql: postgres.ISql, events: readonly Digested[]): Promise<void> {
  if (events.length === 0) return;
  const keys = arrayLiteral(events.map(({ event }) => eventKey(event)));
  const digests = arrayLiteral(events.map(({ digest }) => digest));
  await sql.unsafe(clearRejectedText, [keys, digests], { prepare: true });
}

const clearRejectedText = `
with locked as (
  select key from event_keys
  where (key, digest) in (select * from unnest($1::bytea[], $2::bytea[])) and rejected_at is not null
  order by key
  for update
), cleared as (
  update event_keys as known
  set rejected_at = null, rejected_reason = null, attempts = 0, next_at = now()
  from locked
  where known.key = locked.key
  returning known.key
)
${addToCounts("cleared", { rejected: "-count(*)" })}`;

/**
 * Makes alert events unstored again, when the ledger holds them with these very digests: those that were
 * refused are marked as done with, and somebody wants them stored after all. Harmless for one that is stored.
 */
export async function clearStored(sql: postgres.ISql, events: readonly Digested[]): Promise<void> {
  if (events.length === 0) return;
  const keys = arrayLiteral(events.map(({ event }) => eventKey(event)));
  const rows = await sql.unsafe<{ cause: Buffer; ordinal: number; event: string }[]>(lockStoredText, [keys], {
    prepare: true,
  });
  const wanted = new Set(events.map(({ digest }) => digest.toString("hex")));
  const same = rows.filter(({ event }) => wanted.has(digestOf(fromText(event)).toString("hex")));
  await sql.unsafe(
    `update detections as known set stored_at = null, attempts = 0, next_at = now()
    from unnest($1::bytea[], $2::integer[]) as wanted (cause, ordinal)
    where known.cause = wanted.cause and known.ordinal = wanted.ordinal`,
    [arrayLiteral(same.map(({ cause }) => cause)), arrayLiteral(same.map(({ ordinal }) => ordinal))],
  );
}

const lockStoredText = `
select cause, ordinal, event from detections
where key = any($1::bytea[]) and stored_at is not null
order by key, cause, ordinal
for update`;

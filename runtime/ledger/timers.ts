import { createHash } from "node:crypto";
import type postgres from "postgres";

import type { Event } from "../../events/event.ts";
import { eventKey } from "../../events/identity.ts";
import type { Postgres } from "../postgres/postgres.ts";
import type { DueTimer, Settlement, TimerClaim, TimerName } from "./ledger.ts";
import { milliseconds, toArrays } from "./sql.ts";
import { toColumn, toText } from "./stored-event.ts";

/** The identity of a timer: 32 bytes, the SHA-256 of its length-prefixed parts. */
export function timerKey({ series, group, bucket }: TimerName): Buffer {
  const parts = [series, group, String(bucket)].map((part) => `${Buffer.byteLength(part)}:${part}`);
  return createHash("sha256")
    .update(`timer/${parts.join("")}`)
    .digest();
}

/** Microseconds, exact: the moment a timer is due tells it from the same timer armed again. */
const token = "(extract(epoch from due) * 1000000)::bigint::text";

const claimText = `
with fresh as (
  select key from timers
  where due <= now() and leased_until = '-infinity'
  order by due, key
  limit $1::integer
  for update skip locked
), again as (
  select key from timers
  where due <= now() and leased_until > '-infinity' and leased_until <= now()
  order by due, key
  limit $1::integer - (select count(*) from fresh)
  for update skip locked
), claimed as (
  select key from fresh union all select key from again
)
update timers as known set leased_until = now() + $2::float8 * interval '1 millisecond'
from claimed
where known.key = claimed.key
returning series, group_key as "group", bucket::float8 as bucket, ${token} as token,
  ${milliseconds("due")} as "dueAt", ${milliseconds("now()")} - ${milliseconds("due")} as "overdueMs"`;

/** Claims timers that are due: those nobody claimed yet before those that were given back, oldest first. */
export async function claimTimers(
  sql: postgres.ISql,
  { limit, leaseMs }: TimerClaim,
): Promise<readonly DueTimer[]> {
  const rows = await sql.unsafe<DueTimer[]>(claimText, [limit, leaseMs], { prepare: true });
  return rows
    .map(({ group, ...row }): DueTimer => ({ ...row, group: String(JSON.parse(group)) }))
    .toSorted((a, b) => a.dueAt - b.dueAt);
}

/** Deleting the timer decides: who finds it armed again, or gone, records nothing. */
const settleText = `
with settled as (
  delete from timers where key = $1::bytea and ${token} = $2::text
  returning key
), offered as (
  select * from unnest($3::bytea[], $4::text[], $5::text[]) with ordinality
    as detection (key, subject, event, place)
), raised as (
  insert into detections (cause, ordinal, key, subject, event, raised_at, next_at)
  select settled.key,
    (select coalesce(max(ordinal), -1) from detections where cause = $1::bytea) + row_number() over (order by place),
    offered.key, offered.subject, offered.event, now(), now()
  from settled cross join offered
  where not exists (select from detections as known where known.key = offered.key)
  returning key
)
select (select count(*) from settled)::integer as settled,
  (select json_agg(encode(key, 'hex')) from raised) as raised`;

/** Records what a timer's bucket raised and removes the timer, in one transaction. */
export async function settleTimer(
  { sql }: Postgres,
  { timer, detections }: Settlement,
): Promise<readonly Event[] | undefined> {
  const rows = detections.map((event) => ({ event, key: eventKey(event) }));
  const columns = toArrays(rows, [
    ({ key }) => key,
    ({ event }) => (event.subject === undefined ? null : toColumn(event.subject)),
    ({ event }) => toText(event),
  ]);
  const [answer] = await sql.unsafe<{ settled: number; raised: readonly string[] | null }[]>(
    settleText,
    [timerKey(timer), timer.token, ...columns],
    { prepare: true },
  );
  if (!answer?.settled) return undefined;
  const raised = new Set(answer.raised);
  return rows.filter(({ key }) => raised.has(key.toString("hex"))).map(({ event }) => event);
}

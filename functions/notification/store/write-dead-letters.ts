import type postgres from "postgres";

import type { DeadLetter } from "../dead-letters/dead-letter.ts";
import { lockUuids } from "./locks.ts";
import { toStoredJson } from "./stored-text.ts";

const text = `
insert into dead_letters as known (dead_letter_id, received_at, kind, code, detail, pointer, origin,
  event_source, event_id, event_type, event_time, headers, body, truncated)
select dead_letter_id,
  coalesce((select min(received_at) from dead_letters as kept
    where kept.dead_letter_id = letter.dead_letter_id), now()),
  kind, code, detail, pointer, origin, event_source,
  event_id, event_type, event_time, headers, decode(body, 'base64'), truncated
from json_to_recordset($1::text::json) as letter (
  dead_letter_id uuid, kind text, code text, detail text, pointer text, origin text, event_source text,
  event_id text, event_type text, event_time text, headers jsonb, body text, truncated boolean)
on conflict (dead_letter_id, received_at) do update set last_received_at = now(),
  status = case when known.status = 'replayed' then 'open' else known.status end`;

/**
 * Stores dead letters in two statements; one that is known only moves its `last_received_at`, and
 * is open again when it had been replayed. Their ids are
 * locked first: no index keeps them unique over all months, and the same letter may come twice at once.
 */
export async function writeDeadLetters(
  sql: postgres.TransactionSql,
  letters: readonly DeadLetter[],
): Promise<void> {
  const distinct = new Map(letters.map((letter) => [letter.id, letter]));
  await lockUuids(sql, [...distinct.keys()]);
  await sql.unsafe(text, [toStoredJson([...distinct.values()].map(toRow))], { prepare: true });
}

function toRow({ id, event, body, ...letter }: DeadLetter) {
  return {
    ...letter,
    dead_letter_id: id,
    event_source: event.source,
    event_id: event.id,
    event_type: event.type,
    event_time: event.time,
    body: body.toString("base64"),
  };
}

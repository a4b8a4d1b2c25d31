import { eventKey } from "../../events/identity.ts";
import type { Event } from "../../events/event.ts";
import { parseInstant } from "../../events/time.ts";
import type { Postgres } from "../postgres/postgres.ts";
import type { Acceptance } from "./ledger.ts";
import { futureMs } from "./limits.ts";
import { type Known, lookUp } from "./look-up.ts";
import { addToCounts, instant, milliseconds, toArrays } from "./sql.ts";
import { digestOf, toColumn, toText } from "./stored-event.ts";

/** An event ready to be stored. */
export interface Offer {
  readonly event: Event;
  readonly key: Buffer;
  readonly digest: Buffer;
  readonly time: number | undefined;
  readonly text: string;
}

/** Everything that can fail because of the event itself happens here, before it joins a batch. */
export function toOffer(event: Event): Offer {
  return {
    event,
    key: eventKey(event),
    digest: digestOf(event),
    time: parseInstant(event.time),
    text: toText(event),
  };
}

/**
 * Keys first, in one order everywhere (two batches that share keys cannot deadlock); a key that another
 * transaction is just inserting is waited for. Only keys that are new bring their event along.
 */
const storeText = `
with offered as (
  select * from unnest($1::bytea[], $2::bytea[], $3::float8[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[]) as offer (key, digest, ms, source, id, type, subject, event)
), fresh as (
  insert into event_keys (key, digest, accepted_at, time, next_at)
  select key, digest, now(),
    case when ms <= extract(epoch from now()) * 1000 + ${futureMs} then ${instant("ms")}
      else date_trunc('milliseconds', now()) end,
    now()
  from offered
  order by key
  on conflict (key) do nothing
  returning key, accepted_at, time
), stored as (
  insert into events (accepted_at, key, time, source, id, type, subject, event)
  select accepted_at, key, time, source, id, type, subject, event
  from fresh join offered using (key)
), counted as (${addToCounts("fresh", { accepted: "count(*)" })}
)
select encode(key, 'hex') as key, ${milliseconds("time")} as time from fresh`;

/** Stores a batch in one statement and, when some of it was known, looks those up in a second one. */
export async function storeOffers(
  { sql }: Postgres,
  offers: readonly Offer[],
): Promise<readonly Acceptance[]> {
  const byKey = new Map<string, Offer>();
  for (const offer of offers) if (!byKey.has(hex(offer))) byKey.set(hex(offer), offer);
  const rows = await sql.unsafe<{ key: string; time: number }[]>(storeText, parameters([...byKey.values()]), {
    prepare: true,
  });
  const fresh = new Map(rows.map(({ key, time }) => [key, time]));
  const isNew = (offer: Offer) => fresh.has(hex(offer)) && byKey.get(hex(offer)) === offer;
  const known = await lookUp(
    sql,
    offers.filter((offer) => !isNew(offer)).map(({ key }) => key),
  );
  return offers.map((offer) =>
    isNew(offer)
      ? { outcome: "stored", time: fresh.get(hex(offer)) ?? 0 }
      : judge(offer, known.get(hex(offer))),
  );
}

function judge({ digest }: Offer, known: Known | undefined): Acceptance {
  if (!known) throw new Error("A key that could not be inserted is not there.");
  if (!known.digest.equals(digest)) return { outcome: "conflict" };
  const { time, detections } = known;
  return detections ? { outcome: "duplicate", time, detections } : { outcome: "duplicate", time };
}

function parameters(offers: readonly Offer[]): string[] {
  return toArrays(offers, [
    ({ key }) => key,
    ({ digest }) => digest,
    ({ time }) => time ?? null,
    ({ event }) => toColumn(event.source),
    ({ event }) => toColumn(event.id),
    ({ event }) => toColumn(event.type),
    ({ event }) => (event.subject === undefined ? null : toColumn(event.subject)),
    ({ text }) => text,
  ]);
}

const hex = ({ key }: Offer) => key.toString("hex");

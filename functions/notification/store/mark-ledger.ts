import type postgres from "postgres";

import { decodeRequest } from "../../../events/http.ts";
import { type EventIdentity, eventKey } from "../../../events/identity.ts";
import { InvalidEventError } from "../../../events/invalid-event.ts";
import { markRejected, markStored } from "../../../runtime/ledger/marks.ts";
import { digestOf, fromText } from "../../../runtime/ledger/stored-event.ts";
import { arrayLiteral } from "../../../runtime/postgres/array.ts";
import type { DeadLetter } from "../dead-letters/dead-letter.ts";

/**
 * Tells the ledger which events were refused for ever, so that they are not emitted again: audit events as
 * rejected, alert events of ours as done with.
 *
 * A refusal names the event it is about by source and id, which anybody can put on other bytes. Only when
 * the refused bytes are those of the ledger's event is that one marked; otherwise a broken copy would take
 * a good event's place, and it would be lost.
 */
export async function markRefused(
  sql: postgres.TransactionSql,
  letters: readonly DeadLetter[],
): Promise<void> {
  const refused = letters.filter(({ kind }) => kind === "rejected").flatMap(toRefused);
  if (refused.length === 0) return;
  const byKey = Map.groupBy(refused, ({ event }) => eventKey(event).toString("hex"));
  const keys = arrayLiteral(Array.from(byKey.keys(), (key) => Buffer.from(key, "hex")));
  const known = await sql<Known[]>`
    select encode(key, 'hex') as key, encode(digest, 'hex') as digest, null as alert
    from event_keys where key = any(${keys}::bytea[]) and evaluated_at is null and rejected_at is null
    union all
    select encode(key, 'hex'), null, event
    from detections where key = any(${keys}::bytea[]) and stored_at is null`;
  const matching = (kept: readonly Known[]) =>
    kept.flatMap((row) => {
      const digest = digestIn(row);
      return (byKey.get(row.key) ?? []).filter((one) => one.digest === digest);
    });
  const { audit = [], alert = [] } = Object.groupBy(known, (row) => (row.alert === null ? "audit" : "alert"));
  await markRejected(sql, matching(audit));
  await markStored(
    sql,
    matching(alert).map(({ event }) => event),
  );
}

interface Known {
  readonly key: string;
  readonly digest: string | null;
  /** The alert event as the ledger keeps it. */
  readonly alert: string | null;
}

interface Refused {
  readonly event: EventIdentity;
  readonly digest: string;
  readonly reason: string;
}

function digestIn({ digest, alert }: Known): string | null {
  return alert === null ? digest : digestOf(fromText(alert)).toString("hex");
}

/**
 * The refused event, from its bytes or, where those are truncated, as the function that read them tells of
 * it; none when it cannot be read, for then the ledger cannot hold it either.
 */
function toRefused({ headers, body, code, detail, digest, event }: DeadLetter): readonly Refused[] {
  const reason = `${code}: ${detail}`;
  const { source, id } = event;
  if (digest !== null && source !== null && id !== null) return [{ event: { source, id }, digest, reason }];
  try {
    const read = decodeRequest({ headers, body });
    return [{ event: read, digest: digestOf(read).toString("hex"), reason }];
  } catch (error) {
    if (error instanceof InvalidEventError) return [];
    throw error;
  }
}

import type postgres from "postgres";

import type { Event } from "../../events/event.ts";
import { arrayLiteral } from "../postgres/array.ts";
import { milliseconds } from "./sql.ts";
import { fromText } from "./stored-event.ts";

/** What the ledger knows of a key. */
export interface Known {
  readonly digest: Buffer;
  readonly time: number;
  /** Present once it was evaluated. */
  readonly detections?: readonly Event[];
}

interface Row {
  readonly key: string;
  readonly digest: Buffer;
  readonly time: number;
  readonly evaluated: boolean;
  readonly detections: readonly string[] | null;
}

const text = `
select encode(key, 'hex') as key, digest, ${milliseconds("time")} as time, evaluated_at is not null as evaluated,
  (select json_agg(event order by ordinal) from detections where cause = event_keys.key) as detections
from event_keys
where key = any($1::bytea[])`;

/** What is known of the keys, by key in hexadecimal. */
export async function lookUp(
  sql: postgres.ISql,
  keys: readonly Buffer[],
): Promise<ReadonlyMap<string, Known>> {
  if (keys.length === 0) return new Map();
  const rows = await sql.unsafe<Row[]>(text, [arrayLiteral(keys)], { prepare: true });
  return new Map(rows.map((row) => [row.key, toKnown(row)]));
}

function toKnown({ digest, time, evaluated, detections }: Row): Known {
  return evaluated ? { digest, time, detections: (detections ?? []).map(fromText) } : { digest, time };
}

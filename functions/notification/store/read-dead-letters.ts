import type postgres from "postgres";

/** A dead letter as people see it; times RFC 3339. */
export interface DeadLetterRow {
  readonly id: string;
  readonly kind: string;
  readonly code: string;
  readonly detail: string;
  readonly pointer: string | null;
  readonly origin: string;
  readonly event: Readonly<Record<"source" | "id" | "type" | "time", string | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body_base64: string;
  readonly truncated: boolean;
  readonly received_at: string;
  readonly last_received_at: string;
}

interface RawRow extends Omit<DeadLetterRow, "body_base64" | "received_at" | "last_received_at"> {
  readonly body: Buffer;
  readonly received_at: Date;
  readonly last_received_at: Date;
}

/** Newest first. */
export async function listDeadLetters(sql: postgres.Sql, limit: number): Promise<readonly DeadLetterRow[]> {
  const rows = await sql<RawRow[]>`
    select dead_letter_id as id, kind, code, detail, pointer, origin,
      jsonb_build_object('source', event_source, 'id', event_id, 'type', event_type, 'time', event_time)
        as event,
      headers, body, truncated, received_at, last_received_at
    from dead_letters order by received_at desc, dead_letter_id desc limit ${limit}`;
  return rows.map(({ body, ...row }) => ({
    ...row,
    body_base64: body.toString("base64"),
    received_at: row.received_at.toISOString(),
    last_received_at: row.last_received_at.toISOString(),
  }));
}

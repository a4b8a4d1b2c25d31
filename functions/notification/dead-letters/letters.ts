import { isUuid } from "../../../events/uuid.ts";
import { z } from "zod";

import { toColumn } from "../../../runtime/ledger/stored-event.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { CursorError, seal, unseal } from "../store/opaque.ts";

export type LetterStatus = "open" | "replayed" | "discarded";

/** A dead letter as lists show it; times RFC 3339. */
export interface DeadLetterView {
  readonly dead_letter_id: string;
  readonly kind: "rejected" | "undeliverable";
  readonly code: string;
  readonly detail: string;
  readonly pointer: string | null;
  readonly origin: string;
  readonly event: Readonly<Record<"source" | "id" | "type" | "time", string | null>>;
  readonly truncated: boolean;
  readonly received_at: string;
  readonly last_received_at: string;
  readonly status: LetterStatus;
  /** Who replayed or discarded it last, when and why. */
  readonly handled_by: string | null;
  readonly handled_at: string | null;
  readonly handled_reason: string | null;
}

export interface DeadLetterDetail extends DeadLetterView {
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text when it is UTF-8. */
  readonly body: string | null;
  readonly body_base64: string;
}

export interface DeadLetterQuery {
  readonly status?: LetterStatus | undefined;
  readonly kind?: DeadLetterView["kind"] | undefined;
  readonly code?: string | undefined;
  readonly origin?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** A dead letter as it is replayed. */
export interface StoredLetter extends DeadLetterView {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** When it came last, exactly: tells whether it came again. */
  readonly last: string;
}

export interface Handling {
  readonly status: "replayed" | "discarded";
  readonly by: string;
  readonly reason: string | null;
}

/** The table of dead letters, but for what writes them. */
export interface Letters {
  /** Newest first. Throws CursorError. */
  list(
    query: DeadLetterQuery,
  ): Promise<{ readonly items: readonly DeadLetterView[]; readonly next: string | null }>;
  find(id: string): Promise<StoredLetter | undefined>;
  /**
   * Notes who did what. A letter that came again since it was read keeps its status, for it is open again.
   * `undefined` when it was discarded before.
   */
  handle(letter: StoredLetter, handling: Handling): Promise<DeadLetterView | undefined>;
}

export function createLetters({ sql }: Postgres): Letters {
  const micros = (name: string) => sql`(extract(epoch from ${sql(name)}) * 1000000)::bigint::text`;
  const columns = sql`dead_letter_id, kind, code, detail, pointer, origin,
    jsonb_build_object('source', event_source, 'id', event_id, 'type', event_type, 'time', event_time) as event,
    truncated, received_at, last_received_at, status, handled_by, handled_at, handled_reason`;

  return {
    async list({ status, kind, code, origin, limit, cursor }) {
      const after = cursor === undefined ? undefined : decodeCursor(cursor);
      const where = [
        status === undefined ? undefined : sql`and status = ${status}`,
        kind === undefined ? undefined : sql`and kind = ${kind}`,
        code === undefined ? undefined : sql`and code = ${code}`,
        origin === undefined ? undefined : sql`and origin = ${origin}`,
        after &&
          sql`and (received_at, dead_letter_id) <
            (timestamptz 'epoch' + ${after.at}::bigint * interval '1 microsecond', ${after.id}::uuid)`,
      ].flatMap((part) => part ?? []);
      const rows = await sql<(Row & { readonly at: string })[]>`
        select ${columns}, ${micros("received_at")} as at from dead_letters
        where true ${where.reduce((all, part) => sql`${all} ${part}`, sql``)}
        order by received_at desc, dead_letter_id desc limit ${limit + 1}`;
      const last = rows[limit - 1];
      const next = rows.length > limit && last ? encodeCursor(last) : null;
      return { items: rows.slice(0, limit).map(toView), next };
    },
    async find(id) {
      if (!isUuid(id)) return undefined;
      type Whole = Row & Pick<StoredLetter, "headers" | "bytes" | "last">;
      const [row] = await sql<Whole[]>`
        select ${columns}, headers, body as bytes, ${micros("last_received_at")} as last
        from dead_letters where dead_letter_id = ${id}`;
      return row && { ...toView(row), headers: row.headers, bytes: row.bytes, last: row.last };
    },
    async handle({ dead_letter_id: id, last }, { status, by, reason }) {
      const [row] = await sql<Row[]>`
        update dead_letters set handled_by = ${toColumn(by)}, handled_at = clock_timestamp(),
          handled_reason = ${reason === null ? null : toColumn(reason)},
          status = case when ${micros("last_received_at")} = ${last} then ${status} else status end
        where dead_letter_id = ${id} and status <> 'discarded'
        returning ${columns}`;
      return row && toView(row);
    },
  };
}

type Row = Omit<DeadLetterView, "received_at" | "last_received_at" | "handled_at"> & {
  readonly received_at: Date;
  readonly last_received_at: Date;
  readonly handled_at: Date | null;
};

function toView(row: Row): DeadLetterView {
  return {
    dead_letter_id: row.dead_letter_id,
    kind: row.kind,
    code: row.code,
    detail: row.detail,
    pointer: row.pointer,
    origin: row.origin,
    event: row.event,
    truncated: row.truncated,
    received_at: row.received_at.toISOString(),
    last_received_at: row.last_received_at.toISOString(),
    status: row.status,
    handled_by: row.handled_by,
    handled_at: row.handled_at?.toISOString() ?? null,
    handled_reason: row.handled_reason,
  };
}

const shape = z.tuple([z.string().regex(/^-?\d{1,17}$/), z.uuid()]);

function encodeCursor({
  at,
  dead_letter_id,
}: {
  readonly at: string;
  readonly dead_letter_id: string;
}): string {
  return seal([at, dead_letter_id]);
}

function decodeCursor(text: string): { readonly at: string; readonly id: string } {
  const read = shape.safeParse(unseal(text));
  if (!read.success) throw new CursorError("The cursor is none that the list of dead letters answered with.");
  const [at, id] = read.data;
  return { at, id };
}

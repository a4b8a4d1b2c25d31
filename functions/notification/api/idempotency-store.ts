import { createHash } from "node:crypto";

import type { Postgres } from "../../../runtime/postgres/postgres.ts";

/** An answer that is kept to be given again. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is known of a key: nothing yet, that its request is under way, its answer, or another request's. */
export type KeyState =
  | { readonly kind: "new" }
  | { readonly kind: "in-use" }
  | { readonly kind: "other-request" }
  | { readonly kind: "answered"; readonly answer: StoredAnswer };

/** Keeps the answers to requests with an Idempotency-Key for a day. */
export interface IdempotencyStore {
  /**
   * Marks the key as under way when it is new. A mark older than a minute belongs to a process that is
   * gone: who comes next takes it over.
   */
  begin(key: Buffer, request: Buffer): Promise<KeyState>;
  finish(key: Buffer, answer: StoredAnswer): Promise<void>;
  /** Forgets the mark, so that the request can be sent again. */
  abandon(key: Buffer): Promise<void>;
}

/** SHA-256 of the parts, each with its length, so that no two lists of parts give the same. */
export function hashOf(...parts: readonly string[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest();
}

interface Row {
  readonly request: Buffer;
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: string | null;
}

/** The store in the table `idempotency_keys`; the database's clock decides about ages. */
export function createIdempotencyStore({ sql }: Pick<Postgres, "sql">): IdempotencyStore {
  return {
    async begin(key, request) {
      // Some of the old ones go with every new one, so that the table needs nobody else to stay small.
      await sql`
        delete from idempotency_keys where key in (
          select key from idempotency_keys where created_at < now() - interval '1 day'
          order by created_at limit 10 for update skip locked)`;
      const [begun] = await sql<Row[]>`
        insert into idempotency_keys as known (key, request) values (${key}, ${request})
        on conflict (key) do update
          set request = excluded.request, status = null, headers = null, body = null, created_at = now()
          where known.created_at < now() - interval '1 day'
            or (known.status is null and known.request = excluded.request
              and known.created_at < now() - interval '1 minute')
        returning request`;
      if (begun) return { kind: "new" };
      const [row] = await sql<Row[]>`
        select request, status, headers, body from idempotency_keys where key = ${key}`;
      return row ? stateOf(row, request) : { kind: "in-use" };
    },
    async finish(key, { status, headers, body }) {
      await sql`
        update idempotency_keys
        set status = ${status}, headers = ${JSON.stringify(headers)}::text::jsonb, body = ${body}
        where key = ${key}`;
    },
    async abandon(key) {
      await sql`delete from idempotency_keys where key = ${key} and status is null`;
    },
  };
}

function stateOf({ request, status, headers, body }: Row, asked: Buffer): KeyState {
  if (!request.equals(asked)) return { kind: "other-request" };
  if (status === null) return { kind: "in-use" };
  return { kind: "answered", answer: { status, headers: headers ?? {}, body: body ?? "" } };
}

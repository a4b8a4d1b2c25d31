import type postgres from "postgres";

import { arrayLiteral } from "../postgres/array.ts";
import { type Scope, isScope } from "./scopes.ts";

/** What a key is checked against. */
export interface StoredKey {
  readonly key_id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly hash: string;
  readonly state: "active" | "expired" | "revoked";
  /** That it is used was not noted within the last minute. */
  readonly isUseUnnoted: boolean;
}

/** A key in a list; times RFC 3339. Its hash stays where it is. */
export interface ListedKey {
  readonly key_id: string;
  readonly prefix: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly state: StoredKey["state"];
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

export interface NewKey {
  readonly keyId: string;
  readonly prefix: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly hash: string;
  /** From now on; for ever when left out. */
  readonly lifeMs?: number | undefined;
}

/** Keys in PostgreSQL, by the clock of the database. Every call throws UnavailableError while it is away. */
export interface KeyStore {
  find(prefix: string): Promise<StoredKey | undefined>;
  noteUse(keyId: string): Promise<void>;
  insert(key: NewKey): Promise<ListedKey>;
  /** Newest first. */
  list(): Promise<readonly ListedKey[]>;
  /** Ends a key named by its id or prefix; again is harmless. `undefined` when there is none. */
  revoke(idOrPrefix: string): Promise<ListedKey | undefined>;
}

export function createKeyStore({ sql }: { readonly sql: postgres.Sql }): KeyStore {
  return {
    find: (prefix) => find(sql, prefix),
    async noteUse(keyId) {
      await sql`
        update api_keys set last_used_at = now()
        where key_id = ${keyId} and (last_used_at is null or last_used_at < now() - interval '1 minute')`;
    },
    async insert({ keyId, prefix, name, scopes, hash, lifeMs }) {
      const [row] = await sql<Row[]>`
        insert into api_keys (key_id, prefix, name, scopes, hash, expires_at)
        values (${keyId}, ${prefix}, ${name}, ${arrayLiteral(scopes)}::text::text[], ${hash},
          now() + ${lifeMs ?? null}::float8 * interval '1 millisecond')
        returning ${columns(sql)}`;
      if (!row) throw new Error("The key was not inserted.");
      return toListed(row);
    },
    async list() {
      const rows = await sql<Row[]>`
        select ${columns(sql)} from api_keys order by created_at desc, key_id limit 1000`;
      return rows.map(toListed);
    },
    async revoke(idOrPrefix) {
      const [row] = await sql<Row[]>`
        update api_keys set revoked_at = coalesce(revoked_at, now())
        where key_id::text = ${idOrPrefix.toLowerCase()} or prefix = ${idOrPrefix}
        returning ${columns(sql)}`;
      return row && toListed(row);
    },
  };
}

async function find(sql: postgres.Sql, prefix: string): Promise<StoredKey | undefined> {
  const [row] = await sql<(Omit<StoredKey, "scopes"> & { readonly scopes: string })[]>`
    select key_id, name, array_to_string(scopes, ' ') as scopes, hash, ${state(sql)} as state,
      coalesce(last_used_at < now() - interval '1 minute', true) as "isUseUnnoted"
    from api_keys where prefix = ${prefix}`;
  return row && { ...row, scopes: row.scopes.split(" ").filter(isScope) };
}

type Row = Omit<ListedKey, "scopes" | `${string}_at`> & {
  readonly scopes: string;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
};

function columns(sql: postgres.Sql) {
  return sql`key_id, prefix, name, array_to_string(scopes, ' ') as scopes, ${state(sql)} as state,
    created_at, expires_at, last_used_at, revoked_at`;
}

function state(sql: postgres.Sql) {
  return sql`case when revoked_at is not null then 'revoked'
    when expires_at <= now() then 'expired' else 'active' end`;
}

function toListed(row: Row): ListedKey {
  return {
    key_id: row.key_id,
    prefix: row.prefix,
    name: row.name,
    scopes: row.scopes.split(" "),
    state: row.state,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}

import { isUuid } from "../../../events/uuid.ts";
import type postgres from "postgres";

import { toInstant } from "../../../events/time.ts";
import { toColumn } from "../../../runtime/ledger/stored-event.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import type { Query } from "../query/query.ts";
import { type Preview, type PreviewRange, readPreview } from "./preview.ts";
import { checkSilence, maxActive, type NewSilence, type Silence, SilenceError } from "./silence.ts";

/** What became of the wish to end a silence: one that is over already stays as it is. */
export type Expiry =
  | { readonly kind: "expired" | "over"; readonly silence: Silence }
  | { readonly kind: "not-found" };

/** Silences, kept after their end. Every call throws UnavailableError while PostgreSQL is away. */
export interface Silences {
  /** Newest first, 1000 at most; `active` takes only those in force and to come, or only those that are over. */
  list(wanted?: { readonly active?: boolean | undefined }): Promise<readonly Silence[]>;
  find(id: string): Promise<Silence | undefined>;
  /** Throws SilenceError for what cannot be or is too much, QueryError for the query. */
  create(silence: NewSilence): Promise<Silence>;
  /** Ends it now; nobody is told later of what it muted. */
  expire(id: string, by: string): Promise<Expiry>;
  /** What it would have muted of the alerts that are stored. */
  preview(query: Query, range?: PreviewRange): Promise<Preview>;
}

export interface SilencesDeps {
  readonly postgres: Postgres;
  readonly newId: () => string;
  readonly now: () => number;
}

const maxListed = 1000;

/** Silences on PostgreSQL. */
export function createSilences({ postgres, newId, now }: SilencesDeps): Silences {
  const { sql } = postgres;

  async function find(id: string): Promise<Silence | undefined> {
    if (!isUuid(id)) return undefined;
    const [row] = await sql<SilenceRow[]>`select ${columns(sql)} from silences where silence_id = ${id}`;
    return row && toSilence(row);
  }

  return {
    find,
    async list({ active } = {}) {
      const isActive = sql`(expired_at is null and ends_at > ${toInstant(now())}::timestamptz)`;
      const rows = await sql<SilenceRow[]>`
        select ${columns(sql)} from silences
        where ${active === undefined ? sql`true` : sql`${isActive} = ${active}`}
        order by created_at desc, silence_id limit ${maxListed}`;
      return rows.map(toSilence);
    },
    async create(wanted) {
      const checked = checkSilence(wanted, now());
      return postgres.transaction(async (sql) => {
        // One at a time, so that counting and adding cannot be torn apart.
        await sql`select pg_advisory_xact_lock(hashtextextended('auditflow silences', 0))`;
        await refuseTooMany(sql, now());
        const [row] = await sql<SilenceRow[]>`
          insert into silences (silence_id, query, author, comment, starts_at, ends_at)
          values (${newId()}, ${checked.query}, ${checked.author}, ${checked.comment},
            ${toInstant(checked.startsAt)}::timestamptz, ${toInstant(checked.endsAt)}::timestamptz)
          returning ${columns(sql)}`;
        if (!row) throw new Error("An insert answered no row.");
        return toSilence(row);
      });
    },
    async expire(id, by) {
      if (!isUuid(id)) return { kind: "not-found" };
      const at = toInstant(now());
      const [expired] = await sql<SilenceRow[]>`
        update silences set expired_at = ${at}::timestamptz, expired_by = ${toColumn(by)}
        where silence_id = ${id} and expired_at is null and ends_at > ${at}::timestamptz
        returning ${columns(sql)}`;
      if (expired) return { kind: "expired", silence: toSilence(expired) };
      const silence = await find(id);
      return silence ? { kind: "over", silence } : { kind: "not-found" };
    },
    preview: (query, range = {}) => readPreview(sql, query, { ...range, now: now() }),
  };
}

async function refuseTooMany(sql: postgres.TransactionSql, now: number): Promise<void> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from silences
    where expired_at is null and ends_at > ${toInstant(now)}::timestamptz`;
  if ((row?.count ?? 0) < maxActive) return;
  const message = `There are ${maxActive} silences in force or to come, and more cannot be: expire some.`;
  throw new SilenceError(null, message);
}

type Time = "starts_at" | "ends_at" | "created_at";
type SilenceRow = Omit<Silence, Time | "expired_at"> & {
  readonly [Name in Time]: Date;
} & { readonly expired_at: Date | null };

function columns(sql: postgres.ISql) {
  return sql`silence_id, query, author, comment, starts_at, ends_at, created_at, expired_by, expired_at`;
}

function toSilence({ starts_at, ends_at, created_at, expired_at, ...row }: SilenceRow): Silence {
  return {
    ...row,
    starts_at: starts_at.toISOString(),
    ends_at: ends_at.toISOString(),
    created_at: created_at.toISOString(),
    expired_at: expired_at?.toISOString() ?? null,
  };
}

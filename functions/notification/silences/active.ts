import type postgres from "postgres";

import { toInstant } from "../../../events/time.ts";
import { parseQuery, type Query } from "../query/query.ts";

/** A silence in force, its query parsed. */
export interface ActiveSilence {
  readonly silence_id: string;
  readonly query: Query;
}

/**
 * Reads the silences in force at a time (epoch milliseconds). The rows are read each time, so that a silence
 * counts for whatever is stored after it was made, on every replica; only what a query means is remembered,
 * which its text alone decides. One that cannot be read, because the language has changed since, mutes
 * nothing.
 */
export function createActiveSilences() {
  let parsed: ReadonlyMap<string, Query | undefined> = new Map();

  return async (sql: postgres.ISql, now: number): Promise<readonly ActiveSilence[]> => {
    const at = toInstant(now);
    const rows = await sql<{ silence_id: string; query: string }[]>`
      select silence_id, query from silences
      where ends_at > ${at}::timestamptz and starts_at <= ${at}::timestamptz and expired_at is null
      order by created_at, silence_id`;
    // Only what is in force now is kept in mind.
    parsed = new Map(
      rows.map(({ query }) => [query, parsed.has(query) ? parsed.get(query) : tryParse(query)]),
    );
    return rows.flatMap(({ silence_id, query: text }) => {
      const query = parsed.get(text);
      return query ? [{ silence_id, query }] : [];
    });
  };
}

function tryParse(text: string): Query | undefined {
  try {
    return parseQuery(text);
  } catch {
    return undefined;
  }
}

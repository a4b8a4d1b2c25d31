import { isUuid } from "../../../events/uuid.ts";
import type postgres from "postgres";

import { toInstant } from "../../../events/time.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import type { Status } from "../alert-view.ts";
import { asksForSuppressed, type Query } from "../query/query.ts";
import { toCondition } from "../query/sql.ts";
import type { Change } from "./action.ts";
import { apply, judge, type Judged } from "./apply-change.ts";
import { findEpisodes, findGroups } from "./find-episodes.ts";
import { lockGroups } from "../store/locks.ts";
import { selectAlerts } from "./select-alerts.ts";

/**
 * Alerts by id, or by a query and a range of `last_seen` in epoch milliseconds (from inclusive, to
 * exclusive); suppressed ones only when the query asks for them.
 */
export type Selection =
  | { readonly ids: readonly string[] }
  | { readonly query: Query; readonly from?: number; readonly to?: number };

export interface BulkOptions {
  /** Counts what would happen and writes nothing. */
  readonly dryRun: boolean;
  /** Alerts at most, 10,000 unless fewer are asked for. */
  readonly max?: number;
}

export interface BulkResult {
  readonly matched: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly refused: readonly { readonly alert_id: string; readonly status: Status }[];
  /** More alerts match than were looked at. */
  readonly capped: boolean;
}

export interface DeskDeps {
  readonly postgres: Postgres;
  readonly now: () => number;
  /** Called after a commit that put events into the outbox. */
  readonly onOutbox: () => void;
}

/** Alerts of one bulk change at most. */
const maxBulk = 10_000;

/** Alerts of one transaction: their groups stay locked meanwhile, and evidence for them waits. */
const batchSize = 500;

type Fragment = postgres.PendingQuery<postgres.Row[]>;

/**
 * A change of many alerts. They are chosen first, by id; each batch looks again, under the locks, and
 * leaves out what does not meet the query any more. The statements of a batch are as many whatever its size.
 */
export function createBulk({ postgres, now, onOutbox }: DeskDeps) {
  async function change(ids: readonly string[], batch: Batch): Promise<readonly Judged[]> {
    return postgres.transaction(async (sql) => {
      await lockGroups(sql, await findGroups(sql, ids));
      const judged = await look(sql, ids, batch);
      await apply(sql, judged, batch.change);
      return judged;
    });
  }

  async function choose(which: Selection, limit: number): Promise<readonly string[]> {
    if (!("ids" in which)) return selectAlerts(postgres.sql, toSelection(which, now())(postgres.sql), limit);
    const ids = new Set(which.ids.map((id) => id.toLowerCase()));
    return [...ids].filter((id) => isUuid(id)).slice(0, limit);
  }

  return async (which: Selection, checked: Change, options: BulkOptions): Promise<BulkResult> => {
    const max = Math.min(options.max ?? maxBulk, maxBulk);
    const ids = await choose(which, max + 1);
    const batch = { change: checked, condition: toSelection(which, now()) };
    const seen = new Map<string, Judged>();
    for (const some of chunks(ids.slice(0, max))) {
      const judged = options.dryRun ? await look(postgres.sql, some, batch) : await change(some, batch);
      if (!options.dryRun && judged.some(({ decision }) => decision.kind === "changed")) onOutbox();
      // Two ids may be of one alert; what happened to it first is what counts.
      for (const one of judged) {
        if (!seen.has(one.episode.alert_id)) seen.set(one.episode.alert_id, one);
      }
    }
    return { ...count([...seen.values()]), capped: ids.length > max };
  };
}

interface Batch {
  readonly change: Change;
  readonly condition: (sql: postgres.ISql) => Fragment;
}

async function look(
  sql: postgres.ISql,
  ids: readonly string[],
  { change, condition }: Batch,
): Promise<readonly Judged[]> {
  return judge(sql, await findEpisodes(sql, ids, condition(sql)), change);
}

/** What is asked for, about the alias `episode`. */
function toSelection(which: Selection, now: number): Batch["condition"] {
  if ("ids" in which) return (sql) => sql`true`;
  const { query, from, to } = which;
  return (sql) => sql`(${toCondition(sql, query, now)})
    ${from === undefined ? sql`` : sql`and episode.last_seen >= ${toInstant(from)}::timestamptz`}
    ${to === undefined ? sql`` : sql`and episode.last_seen < ${toInstant(to)}::timestamptz`}
    ${asksForSuppressed(query) ? sql`` : sql`and episode.status <> 'suppressed'`}`;
}

function* chunks(ids: readonly string[]): Iterable<readonly string[]> {
  for (let at = 0; at < ids.length; at += batchSize) yield ids.slice(at, at + batchSize);
}

function count(judged: readonly Judged[]): Omit<BulkResult, "capped"> {
  const of = (kind: Judged["decision"]["kind"]) => judged.filter(({ decision }) => decision.kind === kind);
  return {
    matched: judged.length,
    changed: of("changed").length,
    unchanged: of("unchanged").length,
    refused: of("refused").map(({ episode: { alert_id, status } }) => ({ alert_id, status })),
  };
}

import type postgres from "postgres";

import { foldCase, toLike } from "../../query/pattern.ts";
import type { Fragment } from "../../query/sql-parts.ts";
import { type Selection, toSelection } from "./request.ts";
import { unprepared } from "./unprepared.ts";

/** Facets by the column they count. */
const columns = {
  severity: "severity",
  status: "status",
  rule: "rule_id",
  actor: "actor_id",
  host: "server_hostname",
  type: "alert_type",
  source: "source_service_name",
  assignee: "assignee",
  tag: "tags",
} as const;
export type FacetKey = keyof typeof columns;

export const facetKeys: readonly FacetKey[] = [
  ...(["severity", "status", "rule", "actor", "host", "type", "source", "assignee", "tag"] as const),
];

/** A value and how many alerts have it; null for those that have none. */
export interface FacetValue {
  readonly value: string | null;
  readonly count: number;
}

export interface Facets {
  /** The most frequent values of each key that was asked for, at most 50. */
  readonly facets: Readonly<Partial<Record<FacetKey, readonly FacetValue[]>>>;
  /** How many alerts were looked at. */
  readonly examined: number;
  /** Whether there are more, which were not: the counts are of the newest. */
  readonly capped: boolean;
}

/** Alerts looked at, the newest ones; values of a key answered. */
const mostExamined = 10_000;
const mostValues = 50;

export interface FacetRequest extends Selection {
  readonly keys: readonly FacetKey[];
  /** Only values that begin so, in any ASCII case. */
  readonly prefix?: string | undefined;
}

/** Counts the values of keys over the newest alerts that match, in one statement of bounded work. */
export async function countFacets(
  sql: postgres.ISql,
  { keys, prefix, ...selection }: FacetRequest,
  now: number,
): Promise<Facets> {
  const asked = [...new Set(keys)];
  const rows = await unprepared(sql<{ key: FacetKey | null; value: string | null; count: number }[]>`
    with found as materialized (
      select severity, status, rule_id, actor_id, server_hostname, alert_type, source_service_name, assignee, tags
      from episodes as episode where ${toSelection(sql, selection, now)}
      order by episode.last_seen desc, episode.episode_id desc limit ${mostExamined + 1}
    ), examined as materialized (select * from found limit ${mostExamined})
    select null as key, null as value, count(*)::float8 as count from found
    ${asked.reduce((all, key) => sql`${all} ${countValues(sql, key, prefix)}`, sql``)}`);
  const [total, ...counted] = rows;
  const found = total?.count ?? 0;
  return {
    facets: Object.fromEntries(
      asked.map((key) => [
        key,
        counted.filter((row) => row.key === key).map(({ value, count }) => ({ value, count })),
      ]),
    ),
    examined: Math.min(found, mostExamined),
    capped: found > mostExamined,
  };
}

function countValues(sql: postgres.ISql, key: FacetKey, prefix: string | undefined): Fragment {
  const column = sql(columns[key]);
  const from =
    key === "tag"
      ? sql`(select distinct_tag as value from examined,
          lateral (select distinct unnest(tags) as distinct_tag) as tagged) as valued`
      : sql`(select ${column} as value from examined) as valued`;
  const isWanted =
    prefix === undefined || prefix === ""
      ? sql`true`
      : sql`lower(value collate "C") like ${toLike([foldCase(prefix), ""])}`;
  return sql`union all (
    select ${key}, value, count(*)::float8 from ${from} where ${isWanted}
    group by value order by count(*) desc, value collate "C" limit ${mostValues})`;
}

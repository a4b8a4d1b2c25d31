import type postgres from "postgres";

import type { Fragment } from "../../query/sql-parts.ts";

type SortKey = "timestamp" | "last_seen" | "severity" | "count";
/** What a list is sorted by; with a minus the greatest first. */
export type Sort = SortKey | `-${SortKey}`;

interface Column {
  readonly name: "timestamp" | "last_seen" | "severity_rank" | "count";
  readonly isTime: boolean;
}

const lastSeen: Column = { name: "last_seen", isTime: true };

/** The columns of an index each; the episode's id, which is unique, comes last. */
const columnsOf: Readonly<Record<SortKey, readonly Column[]>> = {
  timestamp: [{ name: "timestamp", isTime: true }],
  last_seen: [lastSeen],
  severity: [{ name: "severity_rank", isTime: false }, lastSeen],
  count: [{ name: "count", isTime: false }],
};

const keys = ["timestamp", "last_seen", "severity", "count"] as const satisfies readonly SortKey[];
export const sorts: readonly Sort[] = keys.flatMap((key) => [key, `-${key}`] as const);

/** Where a row stands in its order: integers as text, times in microseconds, and its id. */
export interface Place {
  readonly values: readonly string[];
  readonly id: string;
}

export interface Order {
  readonly sort: Sort;
  /** Against the order, for the page before. */
  readonly isReversed: boolean;
}

/** How many values a place in the order has. */
export function widthOf(sort: Sort): number {
  return columnsOf[keyOf(sort)].length;
}

function keyOf(sort: Sort): SortKey {
  return keys.find((key) => key === sort || `-${key}` === sort) ?? "timestamp";
}

function isDescending({ sort, isReversed }: Order): boolean {
  return sort.startsWith("-") !== isReversed;
}

function named(sql: postgres.ISql, { name }: Column): Fragment {
  return sql`${sql(`episode.${name}`)}`;
}

/** The values of a row's place, as text. */
export function placeColumns(sql: postgres.ISql, sort: Sort): Fragment {
  const values = columnsOf[keyOf(sort)].map((column) =>
    column.isTime
      ? sql`round(extract(epoch from ${named(sql, column)}) * 1000000)::bigint::text`
      : sql`${named(sql, column)}::text`,
  );
  return sql`to_json(array[${listed(sql, values)}]) as place`;
}

export function orderBy(sql: postgres.ISql, order: Order): Fragment {
  const direction = isDescending(order) ? sql`desc` : sql`asc`;
  const columns = columnsOf[keyOf(order.sort)].map((column) => sql`${named(sql, column)} ${direction}`);
  return listed(sql, [...columns, sql`episode.episode_id ${direction}`]);
}

/** What comes behind a place. */
export function isBehind(sql: postgres.ISql, order: Order, place: Place): Fragment {
  const columns = columnsOf[keyOf(order.sort)];
  const left = listed(sql, [...columns.map((column) => named(sql, column)), sql`episode.episode_id`]);
  const values = columns.map(({ isTime }, index) => toValue(sql, isTime, place.values[index] ?? "0"));
  const right = listed(sql, [...values, sql`${place.id}::text::uuid`]);
  return isDescending(order) ? sql`(${left}) < (${right})` : sql`(${left}) > (${right})`;
}

/** Whole seconds and the rest, because an interval is multiplied by a float: both are exact of any year. */
function toValue(sql: postgres.ISql, isTime: boolean, text: string): Fragment {
  if (!isTime) return sql`${text}::text::bigint`;
  const micros = BigInt(text);
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return sql`(timestamptz 'epoch' + ${Number((micros - rest) / 1_000_000n)}::float8 * interval '1 second'
    + ${Number(rest)}::float8 * interval '1 microsecond')`;
}

function listed(sql: postgres.ISql, parts: readonly Fragment[]): Fragment {
  const [first, ...rest] = parts;
  return rest.reduce((list, part) => sql`${list}, ${part}`, first ?? sql``);
}

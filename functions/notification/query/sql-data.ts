import type postgres from "postgres";

import type { DataKey, Order } from "./ast.ts";
import { type Pattern, toLike } from "./pattern.ts";
import type { CommonRegex } from "./regex/common.ts";
import { comparison, type Fragment, joined, listed } from "./sql-parts.ts";

/** A condition on the event data of the alert that an episode is named after, which lies in another table. */
function ofEvent(sql: postgres.ISql, condition: Fragment): Fragment {
  return sql`exists (
    select from alerts as event
    where event.alert_id = episode.episode_id and event.received_at = episode.received_at and (${condition}))`;
}

function valueAt(sql: postgres.ISql, { path }: DataKey): Fragment {
  return sql`(event.raw_event_data #> array[${listed(sql, path)}]::text[])`;
}

/** A condition on `item`: the value at the path, or any value of the list there. Objects are no values. */
function ofItems(sql: postgres.ISql, key: DataKey, condition: Fragment): Fragment {
  const value = valueAt(sql, key);
  const items = sql`case jsonb_typeof(${value})
    when 'array' then ${value} when 'object' then '[]' else jsonb_build_array(${value}) end`;
  return ofEvent(sql, sql`exists (select from jsonb_array_elements(${items}) as item where ${condition})`);
}

/** Whole values are looked up in the index of the event data, patterns are tried row by row. */
export function dataMatches(sql: postgres.ISql, key: DataKey, patterns: readonly Pattern[]): Fragment {
  const conditions = patterns.map((pattern) =>
    pattern.length > 1 || key.path.some((name) => /^\d+$/.test(name))
      ? ofItems(sql, key, sql`item #>> '{}' like ${toLike(pattern)}`)
      : ofEvent(sql, contains(sql, key, pattern[0] ?? "")),
  );
  return joined(sql, conditions, "or");
}

/** Whether the value is there, as text or as what the text says in JSON, by itself or in a list. */
function contains(sql: postgres.ISql, { path }: DataKey, text: string): Fragment {
  const values = isScalar(text) ? [JSON.stringify(text), text] : [JSON.stringify(text)];
  const wanted = values.flatMap((value) => [value, `[${value}]`]).map((value) => nest(path, value));
  const conditions = wanted.map((json) => sql`event.raw_event_data @> ${json}::text::jsonb`);
  return joined(sql, conditions, "or");
}

/** Numbers of a length that no conversion changes, true and false, as JSON writes them. */
function isScalar(text: string): boolean {
  return /^(?:true|false|-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?)$/.test(text);
}

function nest(path: readonly string[], json: string): string {
  return path.reduceRight((inner, name) => `{${JSON.stringify(name)}:${inner}}`, json);
}

export function dataMatchesRegex(sql: postgres.ISql, key: DataKey, { postgres }: CommonRegex): Fragment {
  return ofItems(sql, key, sql`(item #>> '{}') collate "C" ~ ${postgres}`);
}

/** Only numbers are compared. */
export function dataCompares(
  sql: postgres.ISql,
  key: DataKey,
  by: { order: Order; value: number },
): Fragment {
  const number = sql`(item #>> '{}')::numeric`;
  const condition = sql`case when jsonb_typeof(item) = 'number' then ${comparison(sql, number, by)} end`;
  return ofItems(sql, key, condition);
}

/** JSON's null is no value. */
export function hasData(sql: postgres.ISql, key: DataKey): Fragment {
  return ofEvent(sql, sql`${valueAt(sql, key)} <> 'null'`);
}

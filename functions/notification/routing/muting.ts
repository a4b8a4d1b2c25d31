import type postgres from "postgres";

import type { AlertSummary } from "../alert-view.ts";
import { matches } from "../query/predicate.ts";
import type { Query } from "../query/query.ts";
import { toCondition } from "../query/sql.ts";
import { type SummaryRow, summaryColumns, toSummary } from "../store/list/summary.ts";
import { inhibitedBy, targetedBy } from "./inhibit.ts";
import { type AlertField, columnOf, fieldOf, type Inhibition, type Routes } from "./routes.ts";

/** The silences in force at a time (epoch milliseconds); what cannot be parsed any more is left out. */
export type ActiveSilences = (
  sql: postgres.ISql,
  now: number,
) => Promise<readonly { readonly silence_id: string; readonly query: Query }[]>;

export interface MutingDeps {
  readonly routes: Routes;
  readonly silences: ActiveSilences;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Reads what mutes some of the given alerts now, in two statements whatever their number: `silence/<id>`,
 * `inhibition/<name>` or nothing.
 */
export async function readMuting(
  sql: postgres.ISql,
  alerts: readonly AlertSummary[],
  { routes, silences, now }: MutingDeps,
): Promise<(alert: AlertSummary) => string | undefined> {
  const active = await silences(sql, now);
  const sources = await readSources(sql, { alerts, inhibitions: routes.inhibitions, now });
  return (alert) => {
    const silence = active.find(({ query }) => matches(query, alert, now));
    if (silence) return `silence/${silence.silence_id}`;
    const inhibition = inhibitedBy(routes.inhibitions, alert, { sources, now });
    return inhibition && `inhibition/${inhibition.name}`;
  };
}

interface Asked {
  readonly alerts: readonly AlertSummary[];
  readonly inhibitions: readonly Inhibition[];
  readonly now: number;
}

/** For each combination of equal fields one unresolved source, the gravest: one is enough to inhibit. */
async function readSources(sql: postgres.ISql, { alerts, inhibitions, now }: Asked) {
  const targets = new Map<Inhibition, AlertSummary[]>();
  for (const alert of alerts) {
    for (const inhibition of targetedBy(inhibitions, alert, now)) {
      const known = targets.get(inhibition);
      if (known) known.push(alert);
      else targets.set(inhibition, [alert]);
    }
  }
  const [first, ...others] = [...targets].map(([inhibition, found]) =>
    select(sql, { inhibition, found, now }),
  );
  if (!first) return new Map<string, readonly AlertSummary[]>();
  const rows = await sql<(SummaryRow & { readonly inhibition: string })[]>`
    ${others.reduce((all, one) => sql`${all} union all ${one}`, first)}`;
  const byName = Map.groupBy(rows, ({ inhibition }) => inhibition);
  return new Map([...byName].map(([name, found]) => [name, found.map(toSummary)] as const));
}

interface Wanted {
  readonly inhibition: Inhibition;
  readonly found: readonly AlertSummary[];
  readonly now: number;
}

function select(sql: postgres.ISql, { inhibition, found, now }: Wanted) {
  const { name, source, equal, withinMs } = inhibition;
  const values = equal.map((field) => `coalesce(episode.${columnOf[field]}, '')`);
  const key = sql.unsafe(`jsonb_build_array(${values.join(", ")})`);
  const keys = found.map((alert) => equal.map((field) => fieldOf(alert, field)));
  return sql`(
    select distinct on (${key}) ${name}::text as inhibition, ${summaryColumns(sql)}
    from episodes as episode
    where merged_into is null and status in ('open', 'acknowledged', 'in_progress')
      and last_seen >= to_timestamp(${(now - withinMs) / 1000}::float8)
      ${narrowed(sql, { equal, found })}
      and ${key} in (select jsonb_array_elements(${JSON.stringify(keys)}::text::jsonb))
      and ${toCondition(sql, source, now)}
    order by ${key}, severity_rank desc, episode_id)`;
}

/** Fields whose values an index finds, folded as the index has them. */
const indexedFields: readonly AlertField[] = ["rule", "host", "actor"];

/**
 * The same as the comparison of the keys but for case, in the words of an index: without it every
 * unresolved alert would be read for each batch. An empty value stands for null too, which no index finds.
 */
function narrowed(
  sql: postgres.ISql,
  { equal, found }: { readonly equal: readonly AlertField[]; readonly found: readonly AlertSummary[] },
) {
  return indexedFields
    .filter((field) => equal.includes(field))
    .map((field) => ({ field, values: [...new Set(found.map((alert) => fieldOf(alert, field)))] }))
    .filter(({ values }) => !values.includes(""))
    .reduce(
      (
        all,
        { field, values },
      ) => sql`${all} and lower(${sql(`episode.${columnOf[field]}`)} collate "C") = any (
        array(select lower(value collate "C") from jsonb_array_elements_text(${JSON.stringify(values)}::text::jsonb)))`,
      sql``,
    );
}

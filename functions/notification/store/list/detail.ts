import type postgres from "postgres";

import { toInstant } from "../../../../events/time.ts";
import { arrayLiteral } from "../../../../runtime/postgres/array.ts";
import type { AlertChange, AlertDetail, DeliveryView } from "../../alert-view.ts";
import type { Fragment } from "../../query/sql-parts.ts";
import { etagOf, summaryColumns, type SummaryRow, toSummary } from "./summary.ts";

export interface TaggedDetail extends AlertDetail {
  /** The strong entity tag, with its quotes. */
  readonly etag: string;
}

/** Of an alert's evidence, history, deliveries and ids, at most so many each. */
const most = 1000;

type DetailRow = SummaryRow & {
  readonly changed_by: string;
  readonly details: Pick<
    AlertDetail,
    | "analysis_rule"
    | "triggered_by"
    | "impacted_resource"
    | "metadata"
    | "raw_event_data"
    | "rule_set"
    | "window"
  >;
  readonly alert_ids: readonly string[];
  readonly evidence: readonly { readonly source: string; readonly id: string; readonly time: number }[];
  readonly history: readonly (Omit<AlertChange, "changed_at"> & { readonly changed_at: number })[];
  readonly deliveries: readonly (Omit<DeliveryView, "created_at" | "due_at" | "finished_at"> & {
    readonly created_at: number;
    readonly due_at: number;
    readonly finished_at: number | null;
  })[];
};

/**
 * The alert that an id stands for: its own, or that of the episode it was joined into. One statement, so
 * that all of it is of one moment.
 */
export async function findDetail(sql: postgres.ISql, id: string): Promise<TaggedDetail | undefined> {
  const [row] = await selectDetails(
    sql,
    sql`episode.merged_into is null and (episode.group_id, episode.episode_id) in (
      select holder.group_id, holder.episode_id
      from alerts as asked
      join episodes as holder on holder.group_id = asked.group_id and holder.merged_into is null
        and holder.first_seen <= asked.first_seen and holder.last_seen >= asked.first_seen
      where asked.alert_id = ${id}::text::uuid)`,
  );
  return row && toDetail(row);
}

/** Details of the alerts with these ids, in that order, without those that are gone. One statement. */
export async function readDetails(
  sql: postgres.ISql,
  ids: readonly string[],
): Promise<readonly TaggedDetail[]> {
  const rows = await selectDetails(
    sql,
    sql`episode.merged_into is null and episode.episode_id = any(${arrayLiteral(ids)}::text::uuid[])`,
  );
  const byId = new Map(rows.map((row) => [row.alert_id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []).map(toDetail);
}

async function selectDetails(sql: postgres.ISql, condition: Fragment): Promise<readonly DetailRow[]> {
  return await sql<DetailRow[]>`
    select ${summaryColumns(sql)}, episode.changed_by::text as changed_by,
      jsonb_build_object(
        'analysis_rule', alert.analysis_rule_details, 'triggered_by', alert.triggered_by_details,
        'impacted_resource', alert.impacted_resource_details, 'metadata', alert.metadata,
        'raw_event_data', alert.raw_event_data, 'rule_set', alert.rule_set, 'window', alert.time_window
      ) as details,
      to_json(members.ids[:${most}]) as alert_ids, evidence.list as evidence, history.list as history,
      messages.list as deliveries
    from episodes as episode
    join alerts as alert on alert.alert_id = episode.episode_id and alert.received_at = episode.received_at
    cross join ${members(sql)} cross join ${evidence(sql)} cross join ${history(sql)}
    cross join ${messages(sql)}
    where ${condition}`;
}

/** The alerts joined into the episode, the one it is named after first. */
function members(sql: postgres.ISql): Fragment {
  return sql`lateral (
    select array_agg(alert_id order by alert_id <> episode.episode_id, first_seen, alert_id) as ids
    from alerts as member
    where member.group_id = episode.group_id
      and member.first_seen between episode.first_seen and episode.last_seen) as members`;
}

function evidence(sql: postgres.ISql): Fragment {
  return sql`lateral (
    select coalesce(jsonb_agg(jsonb_build_object('source', source, 'id', id, 'time', ${ms(sql, "time")})
      order by time, event_key), '[]') as list
    from (
      select source, id, time, event_key from alert_evidence as known
      where known.group_id = episode.group_id and known.time between episode.first_seen and episode.last_seen
      order by time, event_key limit ${most}) as earliest) as evidence`;
}

/** The newest, told from the oldest on. */
function history(sql: postgres.ISql): Fragment {
  return sql`lateral (
    select coalesce(jsonb_agg(jsonb_build_object(
      'change_id', change_id, 'alert_id', alert_id, 'revision', revision, 'action', action,
      'changed_at', ${ms(sql, "changed_at")}, 'reason', reason, 'before', before, 'after', after,
      'changed_by', jsonb_build_object('type', actor_type, 'id', actor_id))
      order by changed_at, revision, change_id), '[]') as list
    from (
      select * from alert_changes as known where known.alert_id = any(members.ids)
      order by changed_at desc, revision desc, change_id desc limit ${most}) as newest) as history`;
}

function messages(sql: postgres.ISql): Fragment {
  return sql`lateral (
    select coalesce(jsonb_agg(jsonb_build_object(
      'delivery_id', delivery_id, 'alert_ids', to_jsonb(alert_ids), 'channel', channel, 'kind', kind,
      'route', route, 'status', status, 'muted_by', muted_by, 'attempts', attempts,
      'created_at', ${ms(sql, "created_at")}, 'due_at', ${ms(sql, "due_at")},
      'finished_at', ${ms(sql, "finished_at")}, 'last_error', last_error)
      order by created_at, delivery_id), '[]') as list
    from (
      select * from deliveries as known where known.alert_ids && members.ids
      order by created_at desc, delivery_id desc limit ${most}) as newest) as messages`;
}

/** Epoch milliseconds. */
function ms(sql: postgres.ISql, column: string): Fragment {
  return sql`round(extract(epoch from ${sql(column)}) * 1000)`;
}

function toDetail(row: DetailRow): TaggedDetail {
  return {
    ...toSummary(row),
    ...row.details,
    alert_ids: row.alert_ids,
    evidence: row.evidence.map((point) => ({ ...point, time: toInstant(point.time) })),
    history: row.history.map((change) => ({ ...change, changed_at: toInstant(change.changed_at) })),
    deliveries: row.deliveries.map((delivery) => ({
      ...delivery,
      created_at: toInstant(delivery.created_at),
      due_at: toInstant(delivery.due_at),
      finished_at: delivery.finished_at === null ? null : toInstant(delivery.finished_at),
    })),
    etag: etagOf(row),
  };
}

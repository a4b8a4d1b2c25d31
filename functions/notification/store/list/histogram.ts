import type postgres from "postgres";

import { toInstant } from "../../../../events/time.ts";
import type { Severity } from "../../alert-view.ts";
import { instant } from "../../query/sql-parts.ts";
import { type Selection, toSelection } from "./request.ts";
import { unprepared } from "./unprepared.ts";

export interface HistogramBucket {
  /** RFC 3339; the bucket ends where the next one begins. */
  readonly start: string;
  readonly count: number;
  readonly severities: Readonly<Partial<Record<Severity, number>>>;
}

export interface Histogram {
  readonly bucket_ms: number;
  /** Of equal width, without gaps; none when there is neither an alert nor a range. */
  readonly buckets: readonly HistogramBucket[];
  readonly examined: number;
  /** Whether there are more alerts than were looked at: the counts are of the newest. */
  readonly capped: boolean;
}

/** Alerts looked at, the newest ones; buckets. */
const mostExamined = 100_000;
const mostBuckets = 500;

interface Row {
  readonly origin_ms: number | null;
  readonly until_ms: number | null;
  readonly found: number;
  readonly bucket: number | null;
  readonly severity: Severity | null;
  readonly count: number;
}

/**
 * How many alerts there were over time (by `last_seen`) and severity, in one statement of bounded work. The
 * range is the request's, or what was found.
 */
export async function countBuckets(
  sql: postgres.ISql,
  { buckets, ...selection }: Selection & { readonly buckets: number },
  now: number,
): Promise<Histogram> {
  const wanted = Math.min(Math.max(1, Math.trunc(buckets)), mostBuckets);
  const { from, to } = selection;
  const rows = await unprepared(sql<Row[]>`
    with found as materialized (
      select episode.last_seen, episode.severity from episodes as episode
      where ${toSelection(sql, selection, now)}
      order by episode.last_seen desc, episode.episode_id desc limit ${mostExamined + 1}
    ), examined as (select * from found limit ${mostExamined}
    ), range as materialized (
      select ${from === undefined ? sql`date_trunc('milliseconds', min(last_seen))` : instant(sql, from)} as origin,
        ${to === undefined ? sql`max(last_seen) + interval '1 millisecond'` : instant(sql, to)} as until,
        count(*)::float8 as found
      from found
    ), width as materialized (
      select *, greatest(1, ceil(extract(epoch from until - origin) * 1000 / ${wanted}::float8::numeric))::float8
        * interval '1 millisecond' as stride
      from range
    ), counted as (
      select date_bin(stride, last_seen, origin) as start, severity, count(*)::float8 as count
      from examined, width group by 1, 2
    )
    select round(extract(epoch from origin) * 1000)::float8 as origin_ms,
      round(extract(epoch from until) * 1000)::float8 as until_ms, found,
      round(extract(epoch from start - origin) / extract(epoch from stride))::float8 as bucket,
      severity, coalesce(count, 0) as count
    from width left join counted on true`);
  return toHistogram(rows, wanted);
}

function toHistogram(rows: readonly Row[], wanted: number): Histogram {
  const [first] = rows;
  const found = first?.found ?? 0;
  const examined = { examined: Math.min(found, mostExamined), capped: found > mostExamined };
  if (!first || first.origin_ms === null || first.until_ms === null) {
    return { bucket_ms: 0, buckets: [], ...examined };
  }
  const origin = first.origin_ms;
  const width = Math.max(1, Math.ceil((first.until_ms - origin) / wanted));
  const length = Math.max(1, Math.ceil((first.until_ms - origin) / width));
  const buckets = Array.from({ length }, (_, index) => {
    const own = rows.filter(({ bucket }) => bucket === index);
    return {
      start: toInstant(origin + index * width),
      count: own.reduce((sum, { count }) => sum + count, 0),
      severities: Object.fromEntries(
        own.flatMap(({ severity, count }) => (severity ? [[severity, count]] : [])),
      ),
    };
  });
  return { bucket_ms: width, buckets, ...examined };
}

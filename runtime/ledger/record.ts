import type { Event } from "../../events/event.ts";
import { eventKey } from "../../events/identity.ts";
import type { Postgres } from "../postgres/postgres.ts";
import type { Evaluation, TimerRequest } from "./ledger.ts";
import { lookUp } from "./look-up.ts";
import { addToCounts, instant, toArrays } from "./sql.ts";
import { toColumn, toText } from "./stored-event.ts";
import { timerKey } from "./timers.ts";

/** An evaluation ready to be recorded. */
export interface Verdict {
  readonly key: Buffer;
  readonly ruleSet: string;
  readonly detections: readonly Event[];
  readonly rows: readonly DetectionRow[];
  readonly timers: readonly TimerRow[];
}

interface DetectionRow {
  readonly cause: Buffer;
  readonly ordinal: number;
  readonly key: Buffer;
  readonly subject: string | null;
  readonly text: string;
}

interface TimerRow extends Omit<TimerRequest, "onlyWhenLate"> {
  readonly cause: Buffer;
  readonly key: Buffer;
  readonly onlyWhenLate: boolean;
}

export function toVerdict({ event, ruleSet, detections, timers = [] }: Evaluation): Verdict {
  const cause = eventKey(event);
  const rows = detections.map((detection, ordinal) => ({
    cause,
    ordinal,
    key: eventKey(detection),
    subject: detection.subject === undefined ? null : toColumn(detection.subject),
    text: toText(detection),
  }));
  return {
    key: cause,
    ruleSet,
    detections,
    rows,
    timers: timers.map((timer) => ({ onlyWhenLate: false, ...timer, cause, key: timerKey(timer) })),
  };
}

/**
 * Whoever locks an unevaluated key first decides; a racing transaction waits, finds it evaluated and
 * records nothing. An event that was rejected before and is evaluated now counts as evaluated.
 *
 * Timers are locked in one order after all keys, so that batches cannot deadlock. One that is due late enough
 * is not touched: whoever settles it reads the ledger after that moment, and this event is in it already.
 */
const recordText = `
with verdicts as (
  select * from unnest($1::bytea[], $2::text[]) as verdict (key, rule_set)
), locked as (
  select key, rejected_at is not null as was_rejected
  from event_keys
  where key in (select key from verdicts) and evaluated_at is null
  order by key
  for update
), marked as (
  update event_keys as known
  set evaluated_at = now(), rule_set = verdicts.rule_set, rejected_at = null, rejected_reason = null
  from locked join verdicts using (key)
  where known.key = locked.key
  returning known.key, was_rejected
), raised as (
  insert into detections (cause, ordinal, key, subject, event, raised_at, next_at)
  select cause, ordinal, detection.key, subject, event, now(), now()
  from unnest($3::bytea[], $4::integer[], $5::bytea[], $6::text[], $7::text[])
    as detection (cause, ordinal, key, subject, event)
  join marked on marked.key = detection.cause
), wanted as (
  select timer.key, series, group_key, bucket,
    greatest(${instant("ends_at")}, now()) + lateness * interval '1 millisecond' as due
  from unnest($8::bytea[], $9::bytea[], $10::text[], $11::text[], $12::bigint[], $13::float8[], $14::float8[],
    $15::boolean[]) as timer (cause, key, series, group_key, bucket, ends_at, lateness, only_when_late)
  join marked on marked.key = timer.cause
  where not only_when_late or ${instant("ends_at")} + lateness * interval '1 millisecond' <= now()
), armed as (
  insert into timers as known (key, series, group_key, bucket, due)
  select key, min(series), min(group_key), min(bucket), max(due) from wanted
  where not exists (select from timers as other where other.key = wanted.key and other.due >= wanted.due and other.due > now())
  group by key
  order by key
  on conflict (key) do update set due = greatest(known.due, excluded.due)
), counted as (${addToCounts("marked", {
  evaluated: "count(*)",
  rejected: "-count(*) filter (where was_rejected)",
})}
)
select encode(key, 'hex') as key from marked`;

/**
 * Records a batch in one statement and, when others were faster for some of it, reads what they recorded.
 * `undefined` stands for an event that was never accepted.
 */
export async function recordVerdicts(
  { sql }: Postgres,
  verdicts: readonly Verdict[],
): Promise<readonly (readonly Event[] | undefined)[]> {
  const byKey = new Map<string, Verdict>();
  for (const verdict of verdicts) if (!byKey.has(hex(verdict))) byKey.set(hex(verdict), verdict);
  const rows = await sql.unsafe<{ key: string }[]>(recordText, parameters([...byKey.values()]), {
    prepare: true,
  });
  const marked = new Set(rows.map(({ key }) => key));
  const isFirst = (verdict: Verdict) => marked.has(hex(verdict)) && byKey.get(hex(verdict)) === verdict;
  const known = await lookUp(
    sql,
    verdicts.filter((verdict) => !isFirst(verdict)).map(({ key }) => key),
  );
  return verdicts.map((verdict) =>
    isFirst(verdict) ? verdict.detections : known.get(hex(verdict))?.detections,
  );
}

function parameters(verdicts: readonly Verdict[]): string[] {
  return [
    ...toArrays(verdicts, [({ key }) => key, ({ ruleSet }) => toColumn(ruleSet)]),
    ...toArrays(
      verdicts.flatMap(({ rows }) => rows),
      [
        ({ cause }) => cause,
        ({ ordinal }) => ordinal,
        ({ key }) => key,
        ({ subject }) => subject,
        ({ text }) => text,
      ],
    ),
    ...toArrays(
      verdicts.flatMap(({ timers }) => timers),
      [
        ({ cause }) => cause,
        ({ key }) => key,
        ({ series }) => toColumn(series),
        ({ group }) => JSON.stringify(group),
        ({ bucket }) => bucket,
        ({ endsAt }) => endsAt,
        ({ latenessMs }) => latenessMs,
        ({ onlyWhenLate }) => String(onlyWhenLate),
      ],
    ),
  ];
}

const hex = ({ key }: Verdict) => key.toString("hex");

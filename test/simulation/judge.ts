import type { Message } from "../../events/broker/broker.ts";
import { alertRaised } from "../../events/contracts/alert-raised.ts";
import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import type { Event } from "../../events/event.ts";
import { episodesOf } from "../../functions/analysis/rules/episodes.ts";
import type { RuleSet } from "../../functions/analysis/sigma/rule-set.ts";
import type { LedgerCounts, LedgerEntry } from "../../runtime/ledger/ledger.ts";
import type { Tables } from "./alert-tables.ts";
import type { Bookkeeping } from "./broker.ts";
import { type Database, keyOf } from "./database.ts";
import { type Expected, expectedOf, settledRules, summed } from "./oracle.ts";
import { foundSettled, judgeSettled } from "./settled.ts";

export interface Evidence {
  readonly database: Database;
  readonly tables: Tables;
  readonly books: Bookkeeping;
  readonly counts: LedgerCounts;
  readonly acknowledged: ReadonlySet<string>;
  /** Texts by message id. */
  readonly told: ReadonlyMap<string, ReadonlySet<string>>;
  /** Digests of what reached notification, by event key. */
  readonly emissions: ReadonlyMap<string, ReadonlySet<string>>;
  readonly ruleSet: RuleSet;
}

export interface Judgement {
  /** What is wrong, as `rule: detail`; empty when all promises were kept. */
  readonly violations: readonly string[];
  readonly accepted: number;
  readonly alerts: number;
  readonly episodes: number;
  /** Alerts of what was judged once its time had passed. */
  readonly settled: number;
}

/** Compares what a run left behind with what the accepted events justify. */
export async function judge(evidence: Evidence): Promise<Judgement> {
  const { database, counts, ruleSet } = evidence;
  const accepted = await database.contents.accepted();
  const justified = expectedOf(accepted, ruleSet);
  const expected = withFound(justified, evidence);
  const keys = new Set(accepted.map(({ event }) => keyOf(event)));
  return {
    violations: [
      ...judgeSettled({
        accepted,
        order: database.contents.order(),
        recorded: database.contents.recorded,
        ruleSet,
      }),
      ...difference("accepted", {
        expected: [],
        found: [...evidence.acknowledged].filter((key) => !keys.has(key)),
      }),
      ...account(counts, { accepted: keys.size, rejected: expected.rejected.size }),
      ...difference("rejected", {
        expected: [...expected.rejected].toSorted(),
        found: [...database.contents.rejected].toSorted(),
      }),
      ...difference("recorded", {
        expected: linesOf(expected),
        found: recordedLines(database.contents.recorded),
      }),
      ...difference("alerts", { expected: linesOf(expected), found: storedLines(evidence.tables) }),
      ...difference("episodes", {
        expected: expected.episodes.map(episodeLine).toSorted(),
        found: [...evidence.tables.episodes.values()].map(episodeLine).toSorted(),
      }),
      ...[...evidence.emissions]
        .filter(([, digests]) => digests.size > 1)
        .map(([key, { size }]) => `emissions: ${size} different events have the id of ${key}`),
      ...difference("reference", {
        expected: [countsOf(justified.episodes)],
        found: [countsOf(referenceEpisodes(ruleSet, accepted))],
      }),
      ...toldOnce(evidence, expected),
      ...difference("messages", { expected: [], found: lostMessages(evidence) }),
    ],
    accepted: keys.size,
    alerts: expected.alerts.size,
    episodes: expected.episodes.length,
    settled: foundSettled(database.contents).length,
  };
}

/** What is judged once its time has passed may be justified by less than all events; see `judgeSettled`. */
function withFound(justified: Expected, { database }: Evidence): Expected {
  const firing = [...justified.alerts.values()].filter(({ rule }) => !settledRules.has(rule));
  return { ...justified, ...summed([...firing, ...foundSettled(database.contents)]) };
}

/** What `auditflow rules test` would say of the same events: it must not disagree with the pipeline. */
function referenceEpisodes(ruleSet: RuleSet, accepted: readonly LedgerEntry[]) {
  return episodesOf(
    ruleSet,
    accepted.map(({ event, time }) => ({ time, data: event.data as AuditRecorded })),
  );
}

function countsOf(episodes: readonly { readonly count: number }[]): string {
  return episodes
    .map(({ count }) => count)
    .toSorted((a, b) => a - b)
    .join();
}

function difference(
  rule: string,
  { expected, found }: { readonly expected: readonly string[]; readonly found: readonly string[] },
): readonly string[] {
  return [
    ...expected.filter((line) => !found.includes(line)).map((line) => `${rule}: missing ${line}`),
    ...found.filter((line) => !expected.includes(line)).map((line) => `${rule}: unjustified ${line}`),
  ];
}

function account(
  { accepted, evaluated, rejected, pending }: LedgerCounts,
  expected: { readonly accepted: number; readonly rejected: number },
): readonly string[] {
  const found = JSON.stringify({ accepted, evaluated, rejected, pending });
  const wanted = JSON.stringify({
    accepted: expected.accepted,
    evaluated: expected.accepted - expected.rejected,
    rejected: expected.rejected,
    pending: 0,
  });
  return found === wanted ? [] : [`account: ${found} instead of ${wanted}`];
}

function linesOf({ alerts }: Expected): readonly string[] {
  return [...alerts.values()].map(alertLine).toSorted();
}

function alertLine(alert: {
  readonly id: string;
  readonly evidence: Iterable<string>;
  readonly firstSeen: number;
  readonly lastSeen: number;
}): string {
  const evidence = [...new Set(alert.evidence)].map((key) => key.slice(0, 8)).toSorted();
  return `${alert.id} ${alert.firstSeen}-${alert.lastSeen} ${evidence.join()}`;
}

function recordedLines(recorded: ReadonlyMap<string, Event>): readonly string[] {
  const alerts = Map.groupBy(
    [...recorded.values()].map(({ data }) => alertRaised.data.parse(data)),
    ({ alert_id: id }) => id,
  );
  return [...alerts]
    .map(([id, emissions]) => {
      const points = emissions.flatMap(({ evidence = [] }) => evidence);
      const times = points.map(({ time }) => Date.parse(time));
      return alertLine({
        id,
        evidence: points.map(keyOf),
        firstSeen: Math.min(...times),
        lastSeen: Math.max(...times),
      });
    })
    .toSorted();
}

function storedLines({ alerts }: Tables): readonly string[] {
  return [...alerts.values()]
    .map(({ alertId: id, evidence, firstSeen, lastSeen }) =>
      alertLine({ id, evidence: evidence.map(keyOf), firstSeen, lastSeen }),
    )
    .toSorted();
}

function episodeLine(episode: {
  readonly id: string;
  readonly count: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
}): string {
  return `${episode.id} ${episode.firstSeen}-${episode.lastSeen} count ${episode.count}`;
}

/** Each episode is told at least once, each message has one id and one text, and nothing else is told. */
function toldOnce({ tables, told }: Evidence, expected: Expected): readonly string[] {
  const rows = [...tables.deliveries.values()];
  const reached = new Set(rows.filter(({ id }) => told.has(id)).map(({ alertId }) => alertId));
  return [
    ...expected.episodes
      .filter(({ alerts }) => !alerts.some((id) => reached.has(id)))
      .map(({ id }) => `told: nobody was told of episode ${id}`),
    ...[...told].filter(([, texts]) => texts.size > 1).map(([id]) => `told: message ${id} changed its text`),
    ...[...told.keys()]
      .filter((id) => !tables.deliveries.has(id))
      .map((id) => `told: message ${id} is unknown`),
    ...[...Map.groupBy(rows, ({ alertId }) => alertId)]
      .filter(([id, ids]) => ids.length > 1 || !expected.alerts.has(id))
      .map(([id, ids]) => `told: alert ${id} has ${ids.length} messages`),
  ];
}

/** What a broker took and neither delivered nor put among the dead letters. */
export function lostMessages({ books, tables }: Pick<Evidence, "books" | "tables">): readonly string[] {
  const letters = new Set([...tables.deadLetters.values()].map(({ event }) => nameOf(event)));
  return [...books.published]
    .filter((message) => !books.delivered.has(message))
    .map(({ headers }) => nameOf(attributesOf(headers)))
    .filter((name) => !letters.has(name));
}

function attributesOf({ type, source, id }: Message["headers"]) {
  return { type: String(type), source: String(source), id: String(id) };
}

function nameOf({
  type,
  source,
  id,
}: {
  type: string | null;
  source: string | null;
  id: string | null;
}): string {
  return `${type} ${source} ${id}`;
}

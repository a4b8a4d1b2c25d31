import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";

import { compileRules } from "../../functions/analysis/rules/compile.ts";
import { createSeededRandom } from "../../runtime/failpoints.ts";
import { type FaultRig, openFaultRig, type RigOptions, rulesFolder } from "../support/fault-rig.ts";
import { justified } from "./oracle.ts";
import type { Replica } from "./supervisor.ts";
import type { WebhookReceiver } from "./webhook-receiver.ts";
import { type AuditEvent, type ClientReport, createTraffic, sendAll } from "./traffic.ts";

/** Which events, in which order, how fast; a scenario that says nothing gets the standard. */
export interface Load {
  readonly count?: number;
  readonly rate?: number;
  /** Over how long the events happened, up to now. */
  readonly spanMs?: number;
  /** Events besides, given when the first of the others happened. */
  readonly more?: (from: number) => readonly AuditEvent[];
  /** What is POSTed for the events that happened: shuffled, repeated, delayed. */
  readonly sent?: (events: readonly AuditEvent[], random: () => number) => readonly AuditEvent[];
}

export interface Scenario extends Omit<RigOptions, "seed"> {
  readonly name: string;
  readonly load?: Load;
  /** Makes the faults while events flow; resolves when the last of them has ended. */
  readonly fault: (rig: FaultRig, sent: Promise<ClientReport>) => Promise<void>;
  /** Processes die because the scenario kills them; otherwise none may. */
  readonly mayCrash?: boolean;
  /** More POSTs of a webhook than there are messages, at most. */
  readonly duplicates?: (rig: FaultRig) => number;
  /** What proves that the faults hit: each must be above the given least, by name. */
  readonly hits: (
    rig: FaultRig,
    report: ClientReport,
  ) => Promise<Readonly<Record<string, readonly [number, number]>>>;
}

/** How long the backlog may take to fall below 100 after the last fault; machines of tests are shared. */
const recoveryMs = 90_000;
const backlogOfRecovered = 100;
const maxMemoryMiB = 400;

/** The seed of this run: AUDITFLOW_TEST_SEED, else one by the clock; printed, so that it can be repeated. */
export const seed = Number(process.env["AUDITFLOW_TEST_SEED"] ?? Date.now() % 1_000_000);

/**
 * Plays a scenario on servers of its own, asserts everything that holds after every fault (A1 to A7) and
 * answers which of the faults did not hit (A8): a fault test without that is no evidence.
 */
export async function play(scenario: Scenario): Promise<readonly string[]> {
  const { count = 2000, rate = 120, spanMs = 240_000, more = () => [], sent = inOrder } = scenario.load ?? {};
  await using rig = await openFaultRig({ ...scenario, seed });
  const random = createSeededRandom(seed);
  const from = Date.now() - spanMs;
  const events = [...createTraffic({ count, random, from, spanMs }), ...more(from)];
  const sending = sendAll({ url: () => rig.generator.url(), events: sent(events, random), rate });
  await scenario.fault(rig, sending);
  const ended = performance.now();
  await untilBacklogBelow(rig, backlogOfRecovered);
  const tookMs = performance.now() - ended;
  const report = await sending;
  await untilSettled(rig, events.length);

  const hits = await scenario.hits(rig, report);
  const figures = { seed, count, report, recoveryMs: Math.round(tookMs), ...figuresOf(rig), hits };
  process.stdout.write(`${scenario.name}: ${JSON.stringify(figures)}\n`);
  expect.soft(tookMs, "A7 time to recover").toBeLessThan(recoveryMs);
  await expectWhole(rig, events);
  await expectTold(rig, scenario.duplicates?.(rig) ?? 0);
  if (!scenario.mayCrash) expectNoCrash(rig);
  for (const replica of rig.functions) {
    expect.soft(replica.peakMemoryMiB, `A6 memory of ${replica.name}`).toBeLessThan(maxMemoryMiB);
  }
  return Object.entries(hits).flatMap(([name, [value, least]]) =>
    value < least ? [`${name}: ${value}, expected ${least} at least`] : [],
  );
}

function inOrder(events: readonly AuditEvent[]): readonly AuditEvent[] {
  return events;
}

function expectNoCrash({ functions }: FaultRig): void {
  for (const { name, exits } of functions) {
    const crashes = exits.filter(({ asked, code }) => !asked || code !== 0);
    expect.soft(crashes, `crashes of ${name}`).toEqual([]);
  }
}

/** How many POSTs a receiver got. */
export function postsOf({ received }: WebhookReceiver): number {
  return [...received.values()].reduce((sum, times) => sum + times, 0);
}

/** The value of a metric over the processes that live now. */
export async function metricOf(replicas: readonly Replica[], name: string, labels?: string): Promise<number> {
  const values = await Promise.all(replicas.map((replica) => replica.metric(name, labels)));
  return values.reduce((sum, value) => sum + value, 0);
}

function figuresOf({ counts, reconciled, functions, proxies }: FaultRig) {
  return {
    deliveries: counts.deliveries,
    connects: counts.connects,
    refusedByIngress: counts.refused,
    reconciled,
    ended: Object.fromEntries(functions.map(({ name, exits }) => [name, exits.length])),
    memoryMiB: Object.fromEntries(functions.map((each) => [each.name, Math.round(each.peakMemoryMiB)])),
    failpoints: Object.fromEntries(
      functions.flatMap(({ name, failpoints }) =>
        Object.keys(failpoints).length > 0 ? [[name, failpoints]] : [],
      ),
    ),
    proxies: Object.entries(proxies).flatMap(([name, { counts }]) =>
      Object.entries(counts.hits).flatMap(([mode, hits]) => (hits > 0 ? [`${name} ${mode} ${hits}`] : [])),
    ),
  };
}

/** Accepted and neither evaluated nor rejected, and alerts that nobody stored. */
async function backlogOf({ postgres, ledger }: FaultRig): Promise<number> {
  const { pending } = await ledger.counts();
  const [row] = await postgres.sql<{ unstored: number }[]>`
    select count(*)::int as unstored from detections where stored_at is null`;
  return pending + (row?.unstored ?? 0);
}

async function untilBacklogBelow(rig: FaultRig, limit: number): Promise<void> {
  await poll(rig, `a backlog below ${limit}`, async () => {
    const backlog = await backlogOf(rig);
    return backlog < limit ? undefined : `${backlog} wait`;
  });
}

/** Every queue, the outbox and everything in flight is empty (A5). */
async function untilSettled(rig: FaultRig, count: number): Promise<void> {
  await poll(rig, "an empty ledger", async () => {
    const { accepted } = await rig.ledger.counts();
    const backlog = await backlogOf(rig);
    return accepted === count && backlog === 0 ? undefined : `${accepted} accepted, ${backlog} wait`;
  });
  await poll(rig, "empty queues", async () => {
    const listed = await rig.servers.rabbitmq.control(
      "list_queues",
      "name",
      "messages",
      "--no-table-headers",
    );
    const full = listed.split("\n").filter((line) => /\t[1-9]\d*$/.test(line));
    return full.length === 0 ? undefined : full.join();
  });
  await poll(rig, "an empty outbox", async () => {
    const [row] = await rig.postgres.sql<{ n: number }[]>`
      select count(*)::int as n from deliveries where status = 'pending'`;
    return row?.n === 0 ? undefined : `${row?.n} messages wait`;
  });
}

const settleMs = 150_000;

/** `look` says what is still wrong; the database may be away for a moment. */
async function poll(rig: FaultRig, what: string, look: () => Promise<string | undefined>): Promise<void> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const wrong = await look().catch((error: unknown) => String(error));
    if (wrong === undefined) return;
    if (performance.now() > deadline) {
      throw new Error(`Not ${what} (seed ${seed}): ${wrong}\n${lastWordsOf(rig)}`);
    }
    await sleep(250);
  }
}

function lastWordsOf({ functions, ...rig }: FaultRig): string {
  const said = functions.map(({ name, exits, ...replica }) => [
    `${name}, started ${exits.length + 1} times, says:`,
    ...replica.lastWords().slice(-5),
  ]);
  return [JSON.stringify(figuresOf({ functions, ...rig })), ...said.flat()].join("\n");
}

/** A1 to A3: nothing lost, nothing invented, nothing twice, and the books add up. */
async function expectWhole(rig: FaultRig, events: readonly AuditEvent[]): Promise<void> {
  const { sql } = rig.postgres;
  const rules = compileRules([
    { file: "fault.yml", text: await readFile(`${rulesFolder}fault.yml`, "utf8") },
  ]).ruleSet;
  const expected = justified(events, rules);
  expect(expected.alerts.length, "the oracle finds something").toBeGreaterThan(50);

  const stored = await sql<{ id: string }[]>`select id from events`;
  expect(stored.map(({ id }) => id).toSorted(), "A1 events stored").toEqual(
    events.map(({ id }) => id).toSorted(),
  );
  const alerts = await sql<{ line: string }[]>`
    select concat_ws(' ', alert_id, group_id, ${sql.unsafe(ms("timestamp"))}, ${sql.unsafe(ms("first_seen"))},
      ${sql.unsafe(ms("last_seen"))}) as line from alerts`;
  const lines = alerts.map(({ line }) => line);
  const known = new Set(lines);
  const wanted = new Set(expected.alerts);
  expect
    .soft(
      expected.alerts.filter((line) => !known.has(line)),
      "A2 lost alerts",
    )
    .toEqual([]);
  expect
    .soft(
      lines.filter((line) => !wanted.has(line)),
      "A2 phantom alerts",
    )
    .toEqual([]);
  const episodes = await sql<{ line: string }[]>`
    select concat_ws(' ', episode_id, group_id, ${sql.unsafe(ms("first_seen"))}, ${sql.unsafe(ms("last_seen"))},
      count) as line from episodes where merged_into is null`;
  expect.soft(episodes.map(({ line }) => line).toSorted(), "A2 episodes").toEqual(expected.episodes);
  for (const { id, timespanMs } of rules.correlations) {
    const twice = await sql`
      select group_id from alerts where rule_id = ${id}
      group by group_id, floor(extract(epoch from timestamp) * 1000 / ${timespanMs}::int) having count(*) > 1`;
    expect.soft([...twice], `A3 alerts of ${id} with one natural key`).toEqual([]);
  }
  const counts = await rig.ledger.counts();
  expect.soft(counts, "the books").toEqual({
    accepted: events.length,
    evaluated: events.length,
    rejected: 0,
    pending: 0,
  });
  const letters = await sql`select code, detail, event_type from dead_letters`;
  expect.soft([...letters], "dead letters").toEqual([]);
}

/** A4: everybody was told of every episode, and again only as often as crashes explain. */
async function expectTold({ postgres: { sql }, receiver }: FaultRig, bound: number): Promise<void> {
  const { received } = receiver;
  const messages = await sql<{ id: string; status: string }[]>`
    select delivery_id as id, status from deliveries where channel = 'webhook'`;
  expect
    .soft(
      messages.filter(({ status }) => status !== "delivered"),
      "A4 undelivered",
    )
    .toEqual([]);
  expect
    .soft([...received.keys()].toSorted(), "A4 webhook ids")
    .toEqual(messages.map(({ id }) => id).toSorted());
  expect.soft(postsOf(receiver) - received.size, "A4 repeated POSTs").toBeLessThanOrEqual(bound);
  const [row] = await sql<{ begun: number; untold: number }[]>`
    select count(*)::int as begun, count(*) filter (where merged_into is null and not exists (
      select from deliveries join episodes as part on part.episode_id = any(deliveries.alert_ids)
      where part.group_id = episodes.group_id
        and part.first_seen >= episodes.first_seen and part.last_seen <= episodes.last_seen))::int as untold
    from episodes`;
  expect.soft(row?.untold, "A4 episodes nobody was told of").toBe(0);
  expect
    .soft(messages.length, "A4 messages, one per episode that began")
    .toBeLessThanOrEqual(row?.begun ?? 0);
}

function ms(column: string): string {
  return `round(extract(epoch from ${column}) * 1000)::bigint`;
}

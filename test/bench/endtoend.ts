import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";

import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../events/envelope.ts";
import { encodeBinary } from "../../events/http.ts";
import { eventKey } from "../../events/identity.ts";
import { rawRequest, sendLoad } from "./load.ts";
import { quantile, type Measured, type Report, toReport } from "./measure.ts";
import { type MeasuredPipeline, openEmbedded, openOnServers } from "./pipelines.ts";

const rounds = 3;
const connections = 32;
const eventsPerRound = 3000;
const slowRate = 50;
const slowEvents = 1000;
const patienceMs = 60_000;

/** A pipeline with a way to look into its database. */
interface Observed {
  readonly pipeline: MeasuredPipeline;
  readonly sql: postgres.Sql;
}

/** Events a second and latency of the whole pipeline, embedded and on RabbitMQ, Redis and PostgreSQL. */
export async function run(): Promise<readonly Report[]> {
  await using open = new AsyncDisposableStack();
  const observed: Observed[] = [];
  for (const pipeline of [await openEmbedded(), await openOnServers()]) {
    if (!pipeline) continue;
    open.use(pipeline);
    const sql = open.adopt(postgres(pipeline.databaseUrl, { max: 1 }), (client) => client.end());
    observed.push({ pipeline, sql });
  }
  const saturated = observed.map(() => ({ accepted: new Array<number>(), done: new Array<number>() }));
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, one] of observed.entries()) {
      const { accepted, done } = await saturate(one);
      if (round < 0) continue;
      saturated[index]?.accepted.push(accepted);
      saturated[index]?.done.push(done);
    }
  }
  const latencies: Latencies[] = [];
  for (const one of observed) latencies.push(await measureLatency(one));
  const named = (label: string, samplesOf: (index: number) => readonly number[]) =>
    observed.map(({ pipeline }, index): Measured => ({
      name: `${pipeline.name}, ${label}`,
      samples: samplesOf(index),
    }));
  const rates = [
    ...named("until every alert is stored", (index) => saturated[index]?.done ?? []),
    ...named("until every POST is answered", (index) => saturated[index]?.accepted ?? []),
  ];
  const quantiles = (
    [
      ["POST until 202", "accepted"],
      ["POST until evaluated", "evaluated"],
      ["POST until its alert is stored", "alerted"],
    ] as const
  ).flatMap(([label, part]) =>
    [0.5, 0.99].flatMap((share) =>
      named(`${label}, p${share * 100}`, (index) => [quantile(latencies[index]?.[part] ?? [], share)]),
    ),
  );
  return [
    toReport(`Events a second, end to end, at saturation (${connections} connections)`, "events/s", rates),
    toReport(`Latency at ${slowRate} events/s`, "ms", quantiles),
  ];
}

/** Sends events as fast as they are taken; the rates until all were accepted, and until all was done. */
async function saturate({ pipeline, sql }: Observed) {
  const batch = randomUUID();
  const requests = Array.from({ length: eventsPerRound }, (_, index) => requestOf(batch, index).request);
  const started = performance.now();
  const accepted = await sendLoad({
    port: pipeline.port,
    connections,
    requests: eventsPerRound,
    request: (index) => requests[index] ?? Buffer.alloc(0),
    status: 202,
  });
  await untilNothingIsLeft(sql);
  return { accepted, done: eventsPerRound / ((performance.now() - started) / 1000) };
}

async function untilNothingIsLeft(sql: postgres.Sql): Promise<void> {
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const [left] = await sql<{ count: number }[]>`
      select (select count(*)::int from event_keys where evaluated_at is null and rejected_at is null)
        + (select count(*)::int from detections where stored_at is null) as count`;
    if (left?.count === 0) return;
    await pause(10);
  }
  throw new Error(`events are left after ${patienceMs} ms`);
}

/** How long each stage took, in milliseconds: of every event, and of each that raises an alert by itself. */
interface Latencies {
  readonly accepted: number[];
  readonly evaluated: number[];
  readonly alerted: number[];
}

/** Sends at a steady rate, each event at its own time whatever became of those before. */
async function measureLatency({ pipeline, sql }: Observed): Promise<Latencies> {
  const batch = randomUUID();
  const latencies: Latencies = { accepted: [], evaluated: [], alerted: [] };
  const watched = { evaluated: new Map<string, number>(), alerted: new Map<string, number>() };
  const answers: Promise<void>[] = [];
  let over = false;
  const watching = watch(sql, { watched, latencies, isOver: () => over });
  const started = performance.now();
  for (let index = 0; index < slowEvents; index += 1) {
    await pause(Math.max(0, started + (index * 1000) / slowRate - performance.now()));
    const { key, request, alerts } = requestOf(batch, index);
    const sentAt = performance.now();
    watched.evaluated.set(key, sentAt);
    if (alerts) watched.alerted.set(key, sentAt);
    const { port } = pipeline;
    answers.push(
      sendLoad({ port, connections: 1, requests: 1, request, status: 202 }).then(
        () => void latencies.accepted.push(performance.now() - sentAt),
      ),
    );
  }
  await Promise.all(answers);
  over = true;
  await watching;
  return latencies;
}

interface Watch {
  readonly watched: { readonly evaluated: Map<string, number>; readonly alerted: Map<string, number> };
  readonly latencies: Latencies;
  readonly isOver: () => boolean;
}

/** Looks every 2 ms which of the events have come how far, until all have come all the way. */
async function watch(sql: postgres.Sql, { watched, latencies, isOver }: Watch): Promise<void> {
  const { evaluated, alerted } = watched;
  const until = performance.now() + patienceMs;
  while (!isOver() || evaluated.size + alerted.size > 0) {
    if (performance.now() > until) throw new Error(`events are left after ${patienceMs} ms`);
    const rows = await sql<{ stage: "evaluated" | "alerted"; key: string }[]>`
      select 'evaluated' as stage, encode(key, 'hex') as key from event_keys
      where evaluated_at is not null and key = any(${bytes(evaluated)}::bytea[])
      union all
      select 'alerted', encode(cause, 'hex') from detections
      where stored_at is not null and cause = any(${bytes(alerted)}::bytea[])`;
    const seenAt = performance.now();
    for (const { stage, key } of rows) {
      const sentAt = watched[stage].get(key);
      watched[stage].delete(key);
      if (sentAt !== undefined) latencies[stage].push(seenAt - sentAt);
    }
    await pause(2);
  }
}

function bytes(keys: ReadonlyMap<string, number>): string {
  return `{${[...keys.keys()].map((key) => `"\\\\x${key}"`).join(",")}}`;
}

/**
 * The predecessor's mixture: 30 % failed logins, 10 % sensitive files, of 300 people on 20 hosts. Every third
 * event or so raises an alert, whatever the batches before it held.
 */
function requestOf(batch: string, index: number) {
  const share = index % 10;
  const alerts = share === 9;
  const time = new Date().toISOString();
  const address = `10.${Number.parseInt(batch.slice(0, 2), 16)}.${Number.parseInt(batch.slice(2, 4), 16)}.${index % 250}`;
  const event = createEvent(auditRecorded, {
    id: `${batch}-${index}`,
    source: "/auditflow/bench",
    time,
    data: {
      timestamp: time,
      source_service: "bench",
      server_hostname: `host-${index % 20}`,
      event_type: alerts ? "file_modified" : "user_login",
      severity: "INFO",
      user_id: `${batch.slice(0, 8)}-${index % 300}`,
      action_result: alerts ? "MODIFIED" : share < 3 ? "FAILURE" : "SUCCESS",
      details: alerts
        ? { resource: "/etc/shadow", ip_address: address }
        : { ip_address: address, protocol: "ssh", method: "password" },
    },
  });
  const { headers, body } = encodeBinary(event);
  return { key: eventKey(event).toString("hex"), request: rawRequest(headers, body), alerts };
}

import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import type postgres from "postgres";

import { deriveUuid } from "../../events/identity.ts";
import { toInstant } from "../../events/time.ts";
import { type Emission, toEmission } from "../../functions/notification/alert.ts";
import { alertEvent } from "../../functions/notification/emissions.testing.ts";
import { createStore, type Store } from "../../functions/notification/store/store.ts";
import { tellAll } from "../../functions/notification/store/tell-all.testing.ts";
import { createLog } from "../../runtime/log.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import { openPostgres, type Postgres } from "../../runtime/postgres/postgres.ts";
import { connect } from "../support/database.ts";
import { callsPerSecond, untilConnected } from "./callers.ts";
import { compare, type Report } from "./measure.ts";
import { sampleEvent } from "./sample.ts";
import { openStore } from "./store.ts";

const rounds = 5;
const count = 5000;
const singles = 400;
const callers = 1000;
const connections = 4;
const log = createLog({ name: "bench", level: "silent" });

/**
 * Storing alerts, each with three events of evidence, an episode and a message: in batches, against COPY of
 * the very same rows into the very same tables, and against one transaction per alert with the same code.
 */
export async function run(): Promise<readonly Report[]> {
  await using open = new AsyncDisposableStack();
  const server = open.use(await openStore());
  const postgres = open.use(
    await openPostgres({ url: server.url, name: "bench", max: connections, byIndex: true, log }),
  );
  const client = open.adopt(connect(server.url), (sql) => sql.end({ timeout: 1 }));
  await untilConnected(() => postgres.sql`select`);
  let made = 0;
  const next = () => makeAlert((made += 1));
  const batched = openAlerts(postgres);
  const fill = async (stores: readonly Store[], calls: { callers: number; count: number }) => {
    const alerts = Array.from({ length: calls.count }, next);
    await client.unsafe(`truncate ${tables.join(", ")}`);
    return measureStore(stores, alerts, calls.callers);
  };
  const title = `Alerts stored a second (embedded PostgreSQL, fsync on, ${connections} connections)`;
  const report = await compare(title, {
    rounds,
    unit: "alerts/s",
    subjects: [
      {
        name: "COPY of the same rows, one transaction",
        async measure() {
          await fill([batched], { callers, count });
          const copies: Copy[] = [];
          for (const table of tables) copies.push(await copyOut(client, table));
          await client.unsafe(`truncate ${tables.join(", ")}`);
          return copyIn(client, copies);
        },
      },
      {
        name: `batched, ${callers} callers`,
        measure: () => fill([batched], { callers, count }),
        aim: { atLeast: 0.5 },
      },
    ],
  });
  return [report, await compareSingle(fill, { postgres, batched })];
}

type Fill = (
  stores: readonly Store[],
  calls: { readonly callers: number; readonly count: number },
) => Promise<number>;

async function compareSingle(
  fill: Fill,
  { postgres, batched }: { readonly postgres: Postgres; readonly batched: Store },
): Promise<Report> {
  // One caller each, so that every batch is of one alert.
  const lone = Array.from({ length: connections }, () => openAlerts(postgres));
  return compare("Alerts stored a second: what batches are worth", {
    rounds,
    unit: "alerts/s",
    subjects: [
      {
        name: `one transaction per alert, ${connections} at once`,
        measure: () => fill(lone, { callers: connections, count: singles }),
      },
      {
        name: `batched, ${callers} callers`,
        measure: () => fill([batched], { callers, count }),
        aim: { atLeast: 10 },
      },
    ],
  });
}

function openAlerts(postgres: Postgres): Store {
  return createStore({
    postgres,
    metrics: createMetrics("bench"),
    tell: tellAll(["console"]),
    onOutbox: () => undefined,
  });
}

/** Callers are spread over the stores, and stay with theirs. */
async function measureStore(
  stores: readonly Store[],
  alerts: readonly Emission[],
  callersAtOnce: number,
): Promise<number> {
  const waiting = alerts.values();
  const perStore = stores.map((store) =>
    callsPerSecond({ callers: callersAtOnce / stores.length, count: alerts.length / stores.length }, () => {
      const { value } = waiting.next();
      return value ? store.storeAlert(value) : Promise.reject(new Error("no alert left"));
    }),
  );
  const rates = await Promise.all(perStore);
  return rates.reduce((sum, rate) => sum + rate, 0);
}

/** An alert of a group of its own. */
function makeAlert(number: number): Emission {
  const start = Date.parse("2026-11-21T12:00:00Z") + number * 1000;
  const times = [0, 300, 900].map((ms) => toInstant(start + ms));
  const user = `user-${number}`;
  const { source, data } = sampleEvent;
  const alert = {
    alert_id: deriveUuid("bench", String(number)),
    timestamp: times[2] ?? "",
    correlation_id: deriveUuid("bench event", String(number)),
    triggered_by: { actor_type: "USER", actor_id: user, client_ip: "203.0.113.7" },
    raw_event_data: { ...data, user_id: user },
    group_key: `${user.length}:${user}`,
    group: { user_id: user },
    evidence: times.map((time, index) => ({ source, id: `${number}/${index}`, time })),
    rule_version: "3f9a1c2b7d60",
    rule_set: "c0ffee",
  };
  return toEmission(alertEvent(alert, `alert-${number}`));
}

/** What storing an alert writes. */
const tables = ["alerts", "alert_evidence", "episodes", "deliveries"] as const;

interface Copy {
  readonly into: string;
  readonly rows: Buffer;
}

/** A table as COPY writes it; generated columns cannot be copied in. */
async function copyOut(sql: postgres.Sql, table: string): Promise<Copy> {
  const columns = await sql<{ name: string }[]>`
    select quote_ident(attname) as name from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped and attgenerated = ''
    order by attnum`;
  const names = columns.map(({ name }) => name).join(", ");
  const out = await sql.unsafe(`copy (select ${names} from ${table}) to stdout`).readable();
  return { into: `${table} (${names})`, rows: await buffer(out) };
}

async function copyIn(sql: postgres.Sql, copies: readonly Copy[]): Promise<number> {
  const started = performance.now();
  await sql.begin(async (transaction) => {
    for (const { into, rows } of copies) {
      await pipeline(Readable.from([rows]), await transaction.unsafe(`copy ${into} from stdin`).writable());
    }
  });
  return count / ((performance.now() - started) / 1000);
}

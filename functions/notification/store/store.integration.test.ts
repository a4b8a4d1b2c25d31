import * as fc from "fast-check";
import connectClient from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deriveUuid } from "../../../events/identity.ts";
import { createFailpoint } from "../../../runtime/failpoints.ts";
import { openPostgresLedger } from "../../../runtime/ledger/postgres.ts";
import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { arrayLiteral } from "../../../runtime/postgres/array.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { type Emission, mergeEmissions, toEmission } from "../alert.ts";
import {
  alertEvent,
  deliveriesOf,
  type Sighting,
  sightingEmission,
  sightings,
} from "../emissions.testing.ts";
import { episodesOf } from "./episodes-of.ts";
import type { Episode } from "./episodes.ts";
import { createReader } from "./reader.ts";
import { createStore, type StoreDeps } from "./store.ts";
import { tellAll } from "./tell-all.testing.ts";
import { writeAlerts } from "./write-alerts.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", max: 6, log });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const openStore = (deps: Partial<StoreDeps> = {}) =>
  createStore({
    postgres,
    metrics: createMetrics("test"),
    tell: tellAll([]),
    onOutbox: () => undefined,
    ...deps,
  });

const inOrder = <T extends { readonly id: string }>(rows: readonly T[]) =>
  rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));

async function storedEpisodes(groups: readonly string[]): Promise<readonly Episode[]> {
  return await postgres.sql<Episode[]>`
    select episode_id as id, group_id as "groupId", count::float8 as count,
      extract(epoch from timestamp)::float8 * 1000 as timestamp,
      extract(epoch from first_seen)::float8 * 1000 as "firstSeen",
      extract(epoch from last_seen)::float8 * 1000 as "lastSeen"
    from episodes where merged_into is null and group_id = any(${arrayLiteral(groups)}::uuid[])`;
}

async function storedAlerts(groups: readonly string[]) {
  return await postgres.sql<{ id: string }[]>`
    select alert_id as id, group_id as "groupId", description, correlation_id as correlation,
      extract(epoch from timestamp)::float8 * 1000 as timestamp,
      extract(epoch from first_seen)::float8 * 1000 as "firstSeen",
      extract(epoch from last_seen)::float8 * 1000 as "lastSeen"
    from alerts where group_id = any(${arrayLiteral(groups)}::uuid[])`;
}

/** What is stored of the alerts of a set of emissions. */
function mergedAlerts(emissions: readonly Emission[]) {
  return [...Map.groupBy(emissions, ({ alertId }) => alertId).values()].map((members) => {
    const { alertId, groupId, timestamp, firstSeen, lastSeen, ...merged } = members.reduce(mergeEmissions);
    const { description } = merged.columns;
    return {
      id: alertId,
      groupId,
      timestamp,
      firstSeen,
      lastSeen,
      description,
      correlation: merged.correlation.id,
    };
  });
}

const groupsOf = (emissions: readonly Emission[]) => [...new Set(emissions.map(({ groupId }) => groupId))];

describe("alerts and episodes in PostgreSQL", () => {
  test("any order, repetition and batching of emissions, also at once, stores what their set says", async () => {
    let run = 0;
    let concurrent = 0;
    const cases = sightings.chain((given) =>
      fc.record({ batches: deliveriesOf(given), given: fc.constant(given), atOnce: fc.boolean() }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ batches, given, atOnce }) => {
        const name = `property ${run++}`;
        const toBatch = (batch: readonly Sighting[]) =>
          batch.map((sighting) => sightingEmission(sighting, name));
        const write = (batch: readonly Sighting[]) =>
          postgres.transaction((sql) => writeAlerts(sql, toBatch(batch)));
        if (atOnce && batches.length > 1) concurrent++;
        if (atOnce) await Promise.all(batches.map(write));
        else for (const batch of batches) await write(batch);
        const emissions = toBatch(given);
        const groups = groupsOf(emissions);
        expect(inOrder(await storedEpisodes(groups))).toEqual(inOrder(episodesOf(emissions)));
        expect(inOrder(await storedAlerts(groups))).toEqual(inOrder(mergedAlerts(emissions)));
      }),
      { numRuns: 300 },
    );
    expect(concurrent).toBeGreaterThan(20);
  }, 240_000);

  test("a batch is as many statements for one alert as for three hundred, and each is stored", async () => {
    let statements = 0;
    const client = connectClient(database.url, {
      max: 1,
      fetch_types: false,
      debug: () => void statements++,
    });
    const countFor = async (name: string, alerts: number) => {
      const emissions = Array.from({ length: alerts }, (_, alert) =>
        sightingEmission({ alert, group: alert, events: [1, 2] }, name),
      );
      const before = statements;
      await client.begin(async (sql) => {
        const { occasions } = await writeAlerts(sql, emissions);
        await tellAll(["console", "webhook"])(sql, occasions);
      });
      const used = statements - before;
      expect(await storedEpisodes(groupsOf(emissions))).toHaveLength(alerts);
      return used;
    };
    try {
      // Locks, alerts, evidence, episodes read and written, messages, begin and commit.
      expect(await countFor("one", 1)).toBe(8);
      expect(await countFor("three hundred", 300)).toBe(8);
    } finally {
      await client.end();
    }
  });

  test("alerts that come at once are written together", async () => {
    const counted = countTransactions(postgres);
    const store = openStore({ postgres: counted.postgres, tell: tellAll(["console"]) });
    const emissions = Array.from({ length: 100 }, (_, alert) =>
      sightingEmission({ alert, group: alert, events: [1, 2] }, "hundred"),
    );
    await Promise.all(emissions.map((emission) => store.storeAlert(emission)));
    expect(await storedEpisodes(groupsOf(emissions))).toHaveLength(100);
    expect(counted.transactions()).toBeLessThanOrEqual(4);
  });

  test("an alert id that belongs to another group is refused, and its neighbours are stored", async () => {
    const store = openStore();
    const first = sightingEmission({ alert: 1, group: 0, events: [1] }, "owner");
    await store.storeAlert(first);
    const others = ["a", "b", "c"].map((group) =>
      toEmission(
        alertEvent({ alert_id: deriveUuid("neighbour", group), group_key: group, rule_version: "n" }, group),
      ),
    );
    const thief = { ...others[1]!, alertId: first.alertId };
    const results = await Promise.allSettled(
      [others[0]!, thief, others[2]!].map((each) => store.storeAlert(each)),
    );
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({ reason: { name: "PermanentError", code: "ALERT_ID_REUSED" } });
    expect(await storedEpisodes([first.groupId])).toEqual(episodesOf([first]));
    expect(await storedEpisodes([thief.groupId])).toEqual([]);
  });

  test("a row the database refuses is rejected for ever, and its neighbours are stored", async () => {
    const store = openStore();
    const emissions = [1, 2, 3, 4, 5].map((alert) =>
      sightingEmission({ alert, group: alert, events: [1] }, "refused"),
    );
    const broken = { ...emissions[2]!, columns: { ...emissions[2]!.columns, client_ip: "not an address" } };
    const results = await Promise.allSettled(
      emissions.with(2, broken).map((emission) => store.storeAlert(emission)),
    );
    expect(results[2]).toMatchObject({ reason: { name: "PermanentError", code: "ALERT_UNSTORABLE" } });
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(4);
    expect(await storedEpisodes(groupsOf(emissions))).toHaveLength(4);
  });

  test.for<[string, string, string]>([
    ["NUL", "a\u0000b", String.raw`a\u0000b`],
    ["half a surrogate pair", "a\udc00b", String.raw`a\udc00b`],
  ])(
    "%s in text is stored as its visible escape, and its neighbours are stored",
    async ([name, odd, stored]) => {
      const store = openStore();
      const id = (n: number) => deriveUuid("odd text", name, String(n));
      const events = [1, 2, 3].map((n) => {
        const raw = n === 2 ? { odd, [odd]: [odd] } : { plain: n };
        return alertEvent(
          { alert_id: id(n), description: n === 2 ? odd : "plain", raw_event_data: raw },
          id(n),
        );
      });
      await Promise.all(events.map((event) => store.storeAlert(toEmission(event))));
      const rows = await Promise.all([1, 2, 3].map((n) => createReader(postgres).findAlert(id(n))));
      expect(rows.map((row) => row?.["description"])).toEqual(["plain", stored, "plain"]);
      expect(rows[1]?.["raw_event_data"]).toEqual({ odd: stored, [stored]: [stored] });
    },
  );

  test.for(["0000-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"])(
    "the timestamp %s comes back as it was",
    async (timestamp) => {
      const id = deriveUuid("timestamp", timestamp);
      await openStore().storeAlert(toEmission(alertEvent({ alert_id: id, timestamp }, id)));
      const row = await createReader(postgres).findAlert(id);
      expect(Date.parse(row?.timestamp ?? "")).toBe(Date.parse(timestamp));
      expect(row?.first_seen).toBe(row?.timestamp);
    },
  );
});

describe("one transaction", () => {
  test("a failure before the commit leaves nothing, and the next delivery stores everything", async () => {
    const failpoint = createFailpoint("notification-before-commit:throw", { random: () => 0 });
    const emission = alert("before");
    await expect(openStore({ failpoint, tell: tellAll(["console"]) }).storeAlert(emission)).rejects.toThrow(
      "Failpoint",
    );
    expect(await storedAlerts([emission.groupId])).toEqual([]);
    expect(await deliveriesFor(emission.alertId)).toEqual([]);
    await openStore({ tell: tellAll(["console"]) }).storeAlert(emission);
    expect(await storedEpisodes([emission.groupId])).toEqual(episodesOf([emission]));
    expect(await deliveriesFor(emission.alertId)).toHaveLength(1);
  });

  test("a failure after the commit is a repeat that changes nothing", async () => {
    const failpoint = createFailpoint("notification-after-commit:throw", { random: () => 0 });
    const emission = alert("after");
    await expect(openStore({ failpoint, tell: tellAll(["console"]) }).storeAlert(emission)).rejects.toThrow(
      "Failpoint",
    );
    await openStore({ tell: tellAll(["console"]) }).storeAlert(emission);
    expect(await storedEpisodes([emission.groupId])).toEqual(episodesOf([emission]));
    expect(await deliveriesFor(emission.alertId)).toHaveLength(1);
  });

  test("each channel is told once per episode: not of repeats, growth, a bridge or a new beginning", async () => {
    const store = openStore({ tell: tellAll(["console", "webhook"]) });
    const tell = async (number: number, events: readonly number[]) => {
      const emission = sightingEmission({ alert: number, group: 0, events }, "told");
      await store.storeAlert(emission);
      return (await deliveriesFor(emission.alertId)).map(({ channel }) => channel);
    };
    expect(await tell(1, [1, 2])).toEqual(["console", "webhook"]);
    expect(await tell(1, [1, 2])).toEqual(["console", "webhook"]);
    expect(await tell(2, [2, 3])).toEqual([]);
    expect(await tell(3, [7, 8])).toEqual(["console", "webhook"]);
    expect(await tell(4, [3, 7])).toEqual([]);
    // It becomes the alert that the episode is named after.
    expect(await tell(5, [0, 1])).toEqual([]);
  });
});

describe("the ledger", () => {
  test("knows of an alert event once its alert is stored, and not before", async () => {
    await using ledger = openPostgresLedger(postgres, { log });
    const cause = auditEvent("cause-1");
    const event = alertEvent({ alert_id: deriveUuid("detected", "1") }, "detected-1");
    await ledger.accept(cause);
    await ledger.record({ event: cause, ruleSet: "r", detections: [event] });
    const isStored = async () => {
      const [row] = await postgres.sql<{ stored: boolean }[]>`
        select stored_at is not null as stored from detections where event like '%detected-1%'`;
      return row?.stored;
    };
    const failpoint = createFailpoint("notification-before-commit:throw", { random: () => 0 });
    await expect(openStore({ failpoint }).storeAlert(toEmission(event))).rejects.toThrow("Failpoint");
    expect(await isStored()).toBe(false);
    await openStore().storeAlert(toEmission(event));
    expect(await isStored()).toBe(true);
  });
});

/** The same PostgreSQL, counting what goes through it. */
function countTransactions(inner: Postgres) {
  let transactions = 0;
  return {
    postgres: {
      ...inner,
      transaction<T>(work: Parameters<typeof inner.transaction<T>>[0]) {
        transactions++;
        return inner.transaction(work);
      },
    } satisfies Postgres,
    transactions: () => transactions,
  };
}

const alert = (name: string) => sightingEmission({ alert: 1, group: 0, events: [1, 2] }, name);

async function deliveriesFor(alertId: string) {
  return await postgres.sql<{ channel: string }[]>`
      select channel from deliveries where ${alertId} = any(alert_ids) order by channel`;
}

function auditEvent(id: string) {
  const type = "io.auditflow.audit.recorded.v1";
  return {
    specversion: "1.0",
    id,
    source: "/test",
    type,
    extensions: {},
    data: { event_type: "user_login" },
  } as const;
}

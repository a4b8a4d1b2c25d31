import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { eventRejected } from "../../events/contracts/event-rejected.ts";
import type { Event } from "../../events/event.ts";
import { encodeBinary } from "../../events/http.ts";
import { deriveUuid } from "../../events/identity.ts";
import { createLog } from "../../runtime/log.ts";
import { serve, type Served } from "../../runtime/serve.ts";
import { openTestDatabase, type TestDatabase } from "../../test/support/database.ts";
import { openPostgresServer, type TestPostgresServer } from "../../test/support/postgres-server.ts";
import { alertEvent } from "./emissions.testing.ts";
import { notification } from "./function.ts";

/** The predecessor's bugs that notification must not repeat, and its API as its clients know it. */
const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let served: Served;

const start = (url: string) =>
  serve(notification, { env: { DATABASE_URL: url }, port: 0, host: "127.0.0.1", overrides: { log } });

beforeAll(async () => {
  database = await openTestDatabase();
  served = await start(database.url);
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function post(event: Event, { url } = served): Promise<Response> {
  const { headers, body } = encodeBinary(event);
  return fetch(url, { method: "POST", headers, body: new Uint8Array(body) });
}

const get = (path: string, { url } = served) => fetch(`${url}${path}`);

type Row = Readonly<Record<string, unknown>>;
const rowOf = async (id: string): Promise<Row> => (await (await get(`/alerts/${id}`)).json()) as Row;
const rows = async (query = ""): Promise<readonly Row[]> =>
  (await (await get(`/alerts${query}`)).json()) as Row[];

/** Asks until the answer has this status. */
async function untilStatus(wanted: number, ask: () => Promise<Response>): Promise<void> {
  const asked = async () => {
    const { status } = await ask();
    if (status !== wanted) throw new Error(`Answered ${status}, not ${wanted}.`);
  };
  await vi.waitFor(asked, { timeout: 30_000 });
}

let count = 0;
/** An alert of its own. */
function newAlert(data: Parameters<typeof alertEvent>[0] = {}) {
  const id = deriveUuid("predecessor", String(count++));
  return alertEvent({ alert_id: id, ...data }, id);
}

/** What the predecessor's service published. */
const legacy = {
  timestamp: "2025-08-08T09:30:00.123456+00:00Z",
  correlation_id: undefined,
  triggered_by: { actor_type: "USER", actor_id: "root", client_ip: "N/A" },
};

const columns = [
  "alert_id",
  "correlation_id",
  "timestamp",
  "received_at",
  "alert_name",
  "alert_type",
  "severity",
  "description",
  "source_service_name",
  "rule_id",
  "rule_name",
  "actor_type",
  "actor_id",
  "client_ip",
  "resource_type",
  "resource_id",
  "server_hostname",
  "action_observed",
  "analysis_rule_details",
  "triggered_by_details",
  "impacted_resource_details",
  "metadata",
  "raw_event_data",
];

/** What Python 3.12's `datetime.fromisoformat` reads, and no more: one `Z` or one offset. */
const isoformat = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3}(\d{3})?)?(Z|[+-]\d{2}:\d{2})$/;

describe("the predecessor's API", () => {
  test("an alert is one row with its twenty-three columns, flat, and the episode's four", async () => {
    const event = newAlert();
    await post(event);
    const row = await rowOf(event.data.alert_id);
    expect(Object.keys(row)).toEqual(
      expect.arrayContaining([...columns, "count", "first_seen", "last_seen", "status"]),
    );
    expect(row).toMatchObject({
      rule_id: "ANLY-SEC-001",
      rule_name: "Failed login burst",
      actor_type: "USER",
      actor_id: "root",
      client_ip: "203.0.113.7",
      resource_type: "HOST",
      resource_id: "edge-2",
      server_hostname: "edge-2",
      analysis_rule_details: event.data.analysis_rule,
      triggered_by_details: event.data.triggered_by,
      impacted_resource_details: event.data.impacted_resource,
      metadata: event.data.metadata,
      raw_event_data: event.data.raw_event_data,
      correlation_id: event.data.correlation_id,
    });
    expect(await rows("?limit=1000")).toContainEqual(
      Object.fromEntries(Object.entries(row).filter(([name]) => name !== "deliveries")),
    );
  });

  test("a strict reader can parse every time", async () => {
    const event = newAlert(legacy);
    await post(event);
    const row = await rowOf(event.data.alert_id);
    for (const name of ["timestamp", "received_at", "first_seen", "last_seen"]) {
      expect(row[name]).toMatch(isoformat);
    }
    expect(row["timestamp"]).toBe("2025-08-08T09:30:00.123Z");
  });

  test("its alerts are accepted: +00:00Z, N/A, no correlation id, no evidence", async () => {
    const event = newAlert(legacy);
    expect((await post(event)).status).toBe(204);
    expect(await rowOf(event.data.alert_id)).toMatchObject({
      client_ip: null,
      correlation_id: null,
      count: 1,
    });
  });

  test.for([
    ["?limit=0", "Limit must be a positive integer."],
    ["?limit=-3", "Limit must be a positive integer."],
    ["?limit=ten", "Limit must be an integer."],
    ["?limit=1.5", "Limit must be an integer."],
    ["?offset=-1", "Offset cannot be negative."],
    ["?offset=x", "Offset must be an integer."],
  ])("GET /alerts%s answers 400 with its text", async ([query, error]) => {
    const response = await get(`/alerts${query}`);
    expect([response.status, await response.json()]).toEqual([400, { error }]);
  });

  test.for([
    "?limit=",
    "?offset=",
    "?limit=+5&offset=0",
    "?limit=99999999999999999999&offset=99999999999999999999",
  ])("GET /alerts%s is answered with an array", async (query) => {
    const response = await get(`/alerts${query}`);
    expect([response.status, Array.isArray(await response.json())]).toEqual([200, true]);
  });

  test("an alert that is not there is 404 with its text", async () => {
    const response = await get(`/alerts/${deriveUuid("not there")}`);
    expect([response.status, await response.json()]).toEqual([404, { message: "Alert not found" }]);
  });
});

describe("predecessor bugs", () => {
  test("predecessor-bug-21: an alert counts once it is stored, and a refused one never", async () => {
    const stored = async () => (await served.metrics.alertsStored.get()).values.find(isStored)?.value ?? 0;
    const isStored = ({ labels }: { labels: object }) => "outcome" in labels && labels.outcome === "stored";
    const before = await stored();
    const event = newAlert();
    await post(event);
    await post(event);
    await post(newAlert({ alert_id: "no uuid" }));
    expect(await stored()).toBe(before + 1);
  });

  test.for<[string, Record<string, unknown>]>([
    ["an alert id that is no UUID", { alert_id: "alert-1" }],
    ["no alert id", { alert_id: undefined }],
    ["a correlation id that is no UUID", { correlation_id: "event-1" }],
    ["no raw event", { raw_event_data: null }],
    ["a timestamp that is none", { timestamp: "yesterday" }],
    ["no rule", { analysis_rule: undefined }],
    ["text where an object belongs", { triggered_by: "root" }],
  ])("predecessor-bug-26, -27: %s is refused once, not delivered for ever", async ([, data]) => {
    const response = await post(newAlert(data));
    expect(response.status).toBe(200);
    expect(response.headers.get("ce-type")).toBe(eventRejected.type);
  });

  test("predecessor-bug-26: an address that is none does not stop the alert", async () => {
    const event = newAlert({ triggered_by: { actor_id: "root", client_ip: "300.1.2.3" } });
    expect((await post(event)).status).toBe(204);
    expect(await rowOf(event.data.alert_id)).toMatchObject({
      client_ip: null,
      triggered_by_details: { client_ip: "300.1.2.3" },
    });
  });

  test("predecessor-bug-28: a character of several bytes at byte 100 is one of many", async () => {
    for (let padding = 0; padding < 4; padding++) {
      const event = newAlert({ description: `${"x".repeat(padding)}${"é😀".repeat(60)}` });
      expect((await post(event)).status).toBe(204);
      expect(await rowOf(event.data.alert_id)).toMatchObject({ description: event.data.description });
    }
  });

  test("predecessor-bug-29: alerts that come together are written together", async () => {
    const batches = async () => {
      const { values } = await served.metrics.batchRows.get();
      return values.find(({ metricName }) => metricName?.endsWith("_count"))?.value ?? 0;
    };
    const before = await batches();
    const answers = await Promise.all(Array.from({ length: 200 }, () => post(newAlert())));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 204));
    expect((await batches()) - before).toBeLessThan(100);
  });

  test("predecessor-bug-35: without a limit a page has 100 rows, newest first, the same on every look", async () => {
    await Promise.all(Array.from({ length: 120 }, () => post(newAlert())));
    const first = await rows();
    expect(first).toHaveLength(100);
    expect(await rows()).toEqual(first);
    const [one, two] = await Promise.all([rows("?limit=10"), rows("?limit=10&offset=10")]);
    expect([...one, ...two]).toEqual(first.slice(0, 20));
    const times = first.map(({ timestamp }) => String(timestamp));
    expect(times).toEqual(times.toSorted().toReversed());
  });

  test.for(["1;drop table alerts", "1 or 1=1", "'", "1)--", "0x10"])(
    "predecessor-bug-36: %s in a query is no statement",
    async (text) => {
      const query = encodeURIComponent(text);
      expect((await get(`/alerts?limit=${query}`)).status).toBe(400);
      expect((await get(`/alerts?offset=${query}`)).status).toBe(400);
      expect((await get(`/alerts/${query}`)).status).toBe(400);
      expect((await get("/alerts")).status).toBe(200);
    },
  );

  test("predecessor-bug-37: a bad id is 400, and no answer quotes the database", async () => {
    const response = await get("/alerts/not-a-uuid");
    expect([response.status, await response.json()]).toEqual([400, { error: "Alert id must be a UUID." }]);
  });
});

describe("predecessor bugs with the database away", () => {
  let server: TestPostgresServer;
  let own: Served;
  const event = newAlert();

  beforeAll(async () => {
    server = await openPostgresServer();
    own = await start(server.url);
    await untilStatus(204, () => post(event, own));
    await server.kill();
    await untilStatus(503, () => get("/alerts", own));
  });
  afterAll(async () => {
    await own[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test("predecessor-bug-25, -37: no list is empty and no alert unknown because of it", async () => {
    for (const path of ["/alerts", `/alerts/${event.data.alert_id}`, `/alerts/${deriveUuid("unknown")}`]) {
      const response = await get(path, own);
      expect([path, response.status]).toEqual([path, 503]);
      const body = await response.text();
      expect(body).not.toMatch(/select|insert|password|stack/i);
    }
    expect((await post(newAlert(), own)).status).toBe(503);
  });

  test("predecessor-bug-46: it is alive, and says what does not work", async () => {
    expect((await get("/livez", own)).status).toBe(200);
    const health = await (await get("/healthz", own)).text();
    expect(health).toContain("postgres");
    expect(health).toContain("storing alerts");
  });

  test("predecessor-bug-24, -25: it finds its way back by itself and lost nothing", async () => {
    const later = newAlert();
    await server.start();
    await untilStatus(204, () => post(later, own));
    const found = await (await get("/alerts", own)).json();
    expect(found).toHaveLength(2);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventRejected } from "../../../events/contracts/event-rejected.ts";
import { parseEvent } from "../../../events/envelope.ts";
import type { Event } from "../../../events/event.ts";
import { encodeBinary } from "../../../events/http.ts";
import type { Ledger } from "../../../runtime/ledger/ledger.ts";
import { openPostgresLedger } from "../../../runtime/ledger/postgres.ts";
import { createRejected } from "../../../runtime/rejected.ts";
import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { type DeadLetter, fromRejection } from "../dead-letters/dead-letter.ts";
import { alertEvent } from "../emissions.testing.ts";
import { createReader } from "./reader.ts";
import { createStore } from "./store.ts";
import { tellAll } from "./tell-all.testing.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let ledger: Ledger & AsyncDisposable;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
  ledger = openPostgresLedger(postgres, { log });
});
afterAll(async () => {
  await ledger[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const auditEvent = (id: string, user = "root"): Event => ({
  specversion: "1.0",
  id,
  source: "/test",
  type: "io.auditflow.audit.recorded.v1",
  time: "2026-11-21T12:00:00Z",
  datacontenttype: "application/json",
  extensions: {},
  data: { event_type: "user_login", user_id: user },
});

function rejection(event: Event, change: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: crypto.randomUUID(),
    kind: "rejected",
    code: "EVENT_DATA_INVALID",
    detail: "event_type: expected text",
    pointer: "/data/event_type",
    origin: "analysis",
    event: { source: event.source, id: event.id, type: event.type, time: null },
    truncated: false,
    digest: null,
    ...encodeBinary(event),
    ...change,
  };
}

const openStore = () =>
  createStore({ postgres, metrics: createMetrics("test"), tell: tellAll([]), onOutbox: () => undefined });

const pendingIds = async () =>
  (await ledger.unevaluated({ olderThanMs: -60_000, limit: 1000 })).map(({ id }) => id);
const unstoredIds = async () =>
  (await ledger.unstored({ olderThanMs: -60_000, limit: 1000 })).map(({ id }) => id);

describe("a rejected event", () => {
  test("is not emitted again", async () => {
    const event = auditEvent("refused");
    await ledger.accept(event);
    expect(await pendingIds()).toContain("refused");
    await openStore().storeDeadLetter(rejection(event));
    expect(await pendingIds()).not.toContain("refused");
    expect(await ledger.counts()).toMatchObject({ rejected: 1 });
  });

  test("is not emitted again either when it was too large to be kept whole", async () => {
    const large = { ...auditEvent("large"), data: { event_type: "who_knows", blob: "x".repeat(600_000) } };
    await ledger.accept(large);
    const { headers, body } = encodeBinary(large);
    const refusal = {
      name: "analysis",
      message: { headers, body },
      truncated: false,
      rejection: { code: "EVENT_LOGSOURCE_UNKNOWN", detail: "no rule", pointer: undefined, event: large },
      time: 0,
      extensions: {},
    };
    const store = openStore();
    const letterOf = (event: Event) =>
      fromRejection(parseEvent([eventRejected], createRejected({ ...refusal, event })));
    await store.storeDeadLetter(letterOf({ ...large, data: { event_type: "other" } }));
    expect(await pendingIds()).toContain("large");
    await store.storeDeadLetter(letterOf(large));
    expect(await pendingIds()).not.toContain("large");
  });

  test("does not take the good event of the same source and id along", async () => {
    await ledger.accept(auditEvent("reused"));
    const store = openStore();
    await store.storeDeadLetter(
      rejection(auditEvent("reused", "somebody else"), { code: "EVENT_ID_REUSED" }),
    );
    await store.storeDeadLetter(
      rejection(auditEvent("reused"), { body: Buffer.from("{broken"), truncated: true }),
    );
    expect(await pendingIds()).toContain("reused");
  });

  test("that is an alert of ours is not emitted again either; other bytes under its id change nothing", async () => {
    const cause = auditEvent("cause");
    const alert = alertEvent({}, "alert-event");
    await ledger.accept(cause);
    await ledger.record({ event: cause, ruleSet: "r", detections: [alert] });
    const store = openStore();
    await store.storeDeadLetter(rejection({ ...alert, data: { nonsense: true } }));
    expect(await unstoredIds()).toContain("alert-event");
    await store.storeDeadLetter(rejection(alert));
    expect(await unstoredIds()).not.toContain("alert-event");
  });

  test("an undeliverable event stays pending: it was not refused", async () => {
    const event = auditEvent("undeliverable");
    await ledger.accept(event);
    await openStore().storeDeadLetter(rejection(event, { kind: "undeliverable" }));
    expect(await pendingIds()).toContain("undeliverable");
  });

  test("is listed once, newest first, with its bytes, however often it is stored", async () => {
    const store = openStore();
    const odd = rejection(auditEvent("listed"), {
      detail: "a\u0000b \ud800",
      body: Buffer.from([0, 255, 1]),
      headers: {},
    });
    const letters = [odd, odd, rejection(auditEvent("neighbour"))];
    await Promise.all(letters.map((letter) => store.storeDeadLetter(letter)));
    await store.storeDeadLetter(odd);
    await store.storeDeadLetter(rejection(auditEvent("newest")));
    const rows = await createReader(postgres).listDeadLetters(1000);
    const found = rows.filter(({ event }) => ["listed", "neighbour", "newest"].includes(event.id ?? ""));
    expect(found).toHaveLength(3);
    expect(found[0]?.event.id).toBe("newest");
    const listed = found.find(({ event }) => event.id === "listed");
    expect(listed).toMatchObject({
      body_base64: odd.body.toString("base64"),
      code: odd.code,
      kind: "rejected",
    });
    expect(listed?.detail).toBe(String.raw`a\u0000b \ud800`);
  });
});

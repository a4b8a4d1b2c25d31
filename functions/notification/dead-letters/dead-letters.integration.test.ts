import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { Event } from "../../../events/event.ts";
import type { Ledger } from "../../../runtime/ledger/ledger.ts";
import { openPostgresLedger } from "../../../runtime/ledger/postgres.ts";
import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import type { DeadLetter } from "./dead-letter.ts";
import { alertEvent } from "../emissions.testing.ts";
import { markRefused } from "../store/mark-ledger.ts";
import { writeDeadLetters } from "../store/write-dead-letters.ts";
import { auditEvent, rejection } from "./letters.testing.ts";
import { createDeadLetters, type DeadLetters } from "./dead-letters.ts";
import { createPostTo } from "./post.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let ledger: Ledger & AsyncDisposable;
let letters: DeadLetters;
let sent: Event[] = [];
let brokerFails = false;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
  ledger = openPostgresLedger(postgres, { log });
  letters = createDeadLetters({
    postgres,
    log,
    hosts: [".svc"],
    loopback: true,
    post: createPostTo({ timeoutMs: 5000 }),
    async sink(events) {
      if (brokerFails) throw new Error("no confirm");
      sent.push(...events);
    },
  });
});
afterAll(async () => {
  await ledger[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  sent = [];
  brokerFails = false;
  await postgres.sql`truncate dead_letters`;
});

const ana = { by: "ana", reason: "it is mended" };

async function store(letter: DeadLetter): Promise<string> {
  await postgres.transaction(async (sql) => {
    await writeDeadLetters(sql, [letter]);
    await markRefused(sql, [letter]);
  });
  return letter.id;
}

describe("the list of dead letters", () => {
  test("goes on page by page, newest first, and filters", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      const code = n % 2 ? "EVENT_TYPE_UNKNOWN" : "EVENT_DATA_INVALID";
      ids.unshift(await store(rejection(auditEvent(), { code, origin: n === 3 ? "generator" : "analysis" })));
    }
    const found: string[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await letters.list({ limit: 3, ...(cursor ? { cursor } : {}) });
      found.push(...page.items.map(({ dead_letter_id }) => dead_letter_id));
      expect(page.items.length).toBeLessThanOrEqual(3);
      cursor = page.next;
    } while (cursor);
    expect(found).toEqual(ids);
    await letters.discard(ids[0]!, ana);
    const count = async (query: object) => (await letters.list({ limit: 100, ...query })).items.length;
    expect(await count({ status: "open" })).toBe(6);
    expect(await count({ status: "discarded" })).toBe(1);
    expect(await count({ code: "EVENT_TYPE_UNKNOWN" })).toBe(3);
    expect(await count({ origin: "generator" })).toBe(1);
    expect(await count({ kind: "undeliverable" })).toBe(0);
    expect(await count({ kind: "rejected", status: "open", code: "EVENT_DATA_INVALID" })).toBe(3);
  });

  test.for(["", "?", "bm9uZQ", Buffer.from('["1","2"]').toString("base64url"), "x".repeat(9999)])(
    "refuses a cursor it never made: %s",
    async (cursor) => {
      await expect(letters.list({ limit: 1, cursor })).rejects.toMatchObject({ name: "CursorError" });
    },
  );
});

describe("a dead letter", () => {
  test("shows its body as text when it is text, and always its bytes", async () => {
    const text = await letters.find(await store(rejection(auditEvent("text"))));
    expect(text).toMatchObject({
      body: '{"event_type":"user_login"}',
      event: { id: "text", source: "/test" },
      headers: { "ce-id": "text" },
      status: "open",
      handled_by: null,
    });
    const bytes = await letters.find(await store(rejection(auditEvent(), { body: Buffer.from([255, 0]) })));
    expect(bytes).toMatchObject({ body: null, body_base64: "/wA=" });
    expect(await letters.find(randomUUID())).toBeUndefined();
    expect(await letters.find("no id")).toBeUndefined();
  });

  test("is discarded with a reason, once, and then is not replayed any more", async () => {
    const id = await store(rejection(auditEvent()));
    expect(await letters.discard(id, ana)).toMatchObject({
      kind: "discarded",
      letter: { status: "discarded", handled_by: "ana", handled_reason: "it is mended" },
    });
    expect(await letters.discard(id, ana)).toEqual({ kind: "handled", status: "discarded" });
    expect(await letters.replay(id, ana)).toEqual({ kind: "handled", status: "discarded" });
    expect(await letters.discard(randomUUID(), ana)).toEqual({ kind: "not-found" });
    expect(sent).toEqual([]);
  });

  test("is handled also by somebody whose name and reason a database cannot hold", async () => {
    const odd = { by: "b\u0000n", reason: "no\u0000ne\ud800" };
    const id = await store(rejection(auditEvent()));
    expect(await letters.replay(id, odd)).toMatchObject({ kind: "replayed" });
    expect(await letters.find(id)).toMatchObject({
      status: "replayed",
      handled_by: "b\ufffdn",
      handled_reason: "no\ufffdne\ufffd",
    });
    expect(await letters.discard(id, odd)).toMatchObject({
      kind: "discarded",
      letter: { handled_by: "b\ufffdn" },
    });
  });
});

describe("a rejected event, replayed,", () => {
  test("goes to the broker under its id, and is pending in the ledger until it is judged again", async () => {
    const event = auditEvent();
    await ledger.accept(event);
    const before = await ledger.counts();
    const id = await store(rejection(event));
    expect(await ledger.counts()).toMatchObject({
      rejected: before.rejected + 1,
      pending: before.pending - 1,
    });
    const result = await letters.replay(id, ana);
    expect(result).toEqual({ kind: "replayed", destination: "broker", event_id: event.id });
    expect(sent).toEqual([event]);
    expect(await letters.find(id)).toMatchObject({
      status: "replayed",
      handled_by: "ana",
      handled_reason: "it is mended",
      handled_at: expect.any(String),
    });
    expect(await ledger.counts()).toEqual(before);
    expect((await ledger.unevaluated({ olderThanMs: -60_000, limit: 1000 })).map(({ id }) => id)).toContain(
      event.id,
    );
    // Valid by now:
    await ledger.record({ event, ruleSet: "r", detections: [] });
    const { accepted, evaluated, rejected, pending } = await ledger.counts();
    expect(accepted).toBe(evaluated + rejected + pending);
    expect(evaluated).toBe(before.evaluated + 1);
    // And a second time: that it was judged stays so.
    expect(await letters.replay(id, ana)).toMatchObject({ kind: "replayed" });
    expect(await ledger.counts()).toMatchObject({ evaluated, rejected, pending });
  });

  test("leaves the ledger alone when that holds other bytes under its id", async () => {
    const event = auditEvent();
    await ledger.accept(event);
    await ledger.markRejected(event, "for good");
    const before = await ledger.counts();
    await letters.replay(await store(rejection(auditEvent(event.id, { event_type: "other" }))), ana);
    expect(await ledger.counts()).toEqual(before);
  });

  test("that is an alert of ours is emitted again by the reconciler, too, should the broker lose it", async () => {
    const [cause, alert] = [auditEvent(), alertEvent({}, randomUUID())];
    await ledger.accept(cause);
    await ledger.record({ event: cause, ruleSet: "r", detections: [alert] });
    const unstored = async () =>
      (await ledger.unstored({ olderThanMs: -60_000, limit: 1000 })).map(({ id }) => id);
    const id = await store(rejection(alert));
    expect(await unstored()).not.toContain(alert.id);
    await letters.replay(id, ana);
    expect(await unstored()).toContain(alert.id);
  });

  test("and edited gets an id of its own, always the same one, and names its cause", async () => {
    const event = auditEvent("broken");
    const id = await store(rejection(event));
    const body = { event_type: "user_login", user_id: "root" };
    const result = await letters.replay(id, { ...ana, body });
    expect(result).toMatchObject({ kind: "replayed", detail: expect.stringContaining("an id of its own") });
    const [first] = sent;
    expect(first).toMatchObject({ source: "/test", data: body, extensions: { causationid: "broken" } });
    expect(first?.id).not.toBe("broken");
    expect(result).toMatchObject({ event_id: first?.id });
    await letters.replay(id, { ...ana, body: JSON.stringify(body) });
    await letters.replay(id, { ...ana, body: { ...body, user_id: "ana" } });
    const [, second, third] = sent;
    expect(second?.id).toBe(first?.id);
    expect(third?.id).not.toBe(first?.id);
    // The same bytes are no edit.
    await letters.replay(id, { ...ana, body: '{"event_type":"user_login"}' });
    expect(sent[3]?.id).toBe("broken");
  });

  test("stays open when the broker does not confirm it", async () => {
    const id = await store(rejection(auditEvent()));
    brokerFails = true;
    expect(await letters.replay(id, ana)).toMatchObject({
      kind: "failed",
      detail: expect.stringContaining("no confirm"),
    });
    expect(await letters.find(id)).toMatchObject({ status: "open", handled_by: null });
  });

  test("is refused when it is no CloudEvent, or only its beginning was kept", async () => {
    const none = await store(rejection(auditEvent(), { headers: {} }));
    expect(await letters.replay(none, ana)).toMatchObject({ kind: "refused" });
    const cut = await store(rejection(auditEvent(), { truncated: true }));
    expect(await letters.replay(cut, ana)).toMatchObject({ kind: "refused" });
    expect(await letters.replay(cut, { ...ana, body: { event_type: "whole" } })).toMatchObject({
      kind: "replayed",
    });
    expect(sent).toHaveLength(1);
  });
});

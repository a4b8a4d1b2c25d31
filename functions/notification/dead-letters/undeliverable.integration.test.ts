import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { Event } from "../../../events/event.ts";
import { encodeBinary, encodeStructured } from "../../../events/http.ts";
import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { type DeadLetter, fromUndeliverable } from "./dead-letter.ts";
import { writeDeadLetters } from "../store/write-dead-letters.ts";
import { auditEvent, openSubscriber, undeliverable } from "./letters.testing.ts";
import { createDeadLetters, type DeadLetters } from "./dead-letters.ts";
import { createPostTo } from "./post.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let letters: DeadLetters;
let sent: Event[] = [];
let brokerFails = false;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
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
  await postgres.transaction((sql) => writeDeadLetters(sql, [letter]));
  return letter.id;
}

describe("an undeliverable event, replayed,", () => {
  test("goes to where it was meant to go, as it came but for the broker's notes", async () => {
    await using subscriber = await openSubscriber({ status: 202 });
    const event = auditEvent();
    const id = await store(undeliverable(event, subscriber.url));
    expect(await letters.replay(id, ana)).toEqual({
      kind: "replayed",
      destination: subscriber.url,
      status: 202,
      event_id: event.id,
    });
    const [seen] = subscriber.seen;
    expect(seen?.headers).toMatchObject({ ...encodeBinary(event).headers });
    expect(Object.keys(seen?.headers ?? {}).join(" ")).not.toContain("knative");
    expect(seen?.body).toBe('{"event_type":"user_login"}');
    expect(sent).toEqual([]);
  });

  test("in structured mode goes in binary mode", async () => {
    await using subscriber = await openSubscriber({ status: 200 });
    const event = auditEvent();
    const noted = { ...event, extensions: { ...event.extensions, knativeerrordest: subscriber.url } };
    const { headers, body } = encodeStructured(noted);
    const id = await store(fromUndeliverable(headers, body));
    expect(await letters.replay(id, ana)).toMatchObject({ kind: "replayed" });
    expect(subscriber.seen[0]?.headers).toMatchObject(encodeBinary(event).headers);
    expect(subscriber.seen[0]?.headers).not.toHaveProperty("ce-knativeerrordest");
  });

  test("has the event it is answered with sent to the broker", async () => {
    const reply = auditEvent("reply");
    await using subscriber = await openSubscriber({ status: 200, event: reply });
    const id = await store(undeliverable(auditEvent(), subscriber.url));
    expect(await letters.replay(id, ana)).toMatchObject({ kind: "replayed", status: 200 });
    expect(sent).toEqual([reply]);
    brokerFails = true;
    expect(await letters.replay(id, ana)).toMatchObject({ kind: "failed" });
  });

  test("stays open when it is refused again", async () => {
    await using subscriber = await openSubscriber({ status: 503 });
    const id = await store(undeliverable(auditEvent(), subscriber.url));
    expect(await letters.replay(id, ana)).toEqual({
      kind: "failed",
      detail: `${subscriber.url} answered 503.`,
    });
    expect(await letters.find(id)).toMatchObject({ status: "open" });
  });

  test("goes to the broker when nobody listens there any more, or nobody knows where", async () => {
    const subscriber = await openSubscriber({ status: 200 });
    await subscriber[Symbol.asyncDispose]();
    const event = auditEvent();
    const gone = await store(undeliverable(event, subscriber.url));
    expect(await letters.replay(gone, ana)).toMatchObject({
      kind: "replayed",
      destination: "broker",
      detail: expect.stringContaining(subscriber.url),
    });
    const { headers, body } = encodeBinary(event);
    const unknown = await store(fromUndeliverable(headers, body));
    expect(await letters.replay(unknown, ana)).toMatchObject({ destination: "broker" });
    expect(sent).toEqual([event, event]);
  });

  test("goes nowhere that was not allowed", async () => {
    const id = await store(undeliverable(auditEvent(), "http://metadata.example/"));
    expect(await letters.replay(id, ana)).toMatchObject({
      kind: "refused",
      detail: expect.stringContaining("AUDITFLOW_REPLAY_HOSTS"),
    });
    expect(sent).toEqual([]);
  });

  test("that comes back afterwards is open again, but not when it was discarded", async () => {
    await using subscriber = await openSubscriber({ status: 202 });
    const letter = undeliverable(auditEvent(), subscriber.url);
    const id = await store(letter);
    await letters.replay(id, ana);
    expect(await letters.find(id)).toMatchObject({ status: "replayed" });
    await store(letter);
    expect(await letters.find(id)).toMatchObject({ status: "open", handled_by: "ana" });
    await letters.discard(id, ana);
    await store(letter);
    expect(await letters.find(id)).toMatchObject({ status: "discarded" });
  });

  test("that comes back meanwhile is open, and who replayed it is kept", async () => {
    let again: () => Promise<unknown> = async () => undefined;
    const coming = createDeadLetters({
      postgres,
      log,
      hosts: [],
      loopback: true,
      sink: async () => undefined,
      async post() {
        await again();
        return { status: 200, headers: {}, body: Buffer.alloc(0) };
      },
    });
    const letter = undeliverable(auditEvent(), "http://127.0.0.1:1/");
    const id = await store(letter);
    again = () => store(letter);
    expect(await coming.replay(id, ana)).toMatchObject({ kind: "replayed" });
    expect(await coming.find(id)).toMatchObject({ status: "open", handled_by: "ana" });
  });
});

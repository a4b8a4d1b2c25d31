import { createConnection, createServer, type Socket } from "node:net";
import { once } from "node:events";
import { pino } from "pino";
import type postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { openTestDatabase, type TestDatabase } from "../../test/support/database.ts";
import { openPostgresServer } from "../../test/support/postgres-server.ts";
import { UnavailableError } from "../failure.ts";
import { createHealth } from "../health.ts";
import { openPostgres, type Postgres } from "./postgres.ts";

const log = pino({ level: "silent" });

/** Short waits; nothing here is about their length. */
const quick = { name: "test-postgres", log, connectTimeoutMs: 500, statementTimeoutMs: 500 };

const nap = { timeout: 20_000, interval: 20 };

/** What a transaction must never do outside of itself. */
const stray = (sql: postgres.TransactionSql) => sql`insert into marks values (3)`;

async function ignoreFailures(sql: postgres.TransactionSql): Promise<void> {
  for (let times = 0; times < 5; times++) await stray(sql).catch(() => undefined);
}

async function manyAtOnce(sql: postgres.TransactionSql): Promise<void> {
  await Promise.allSettled(Array.from({ length: 20 }, () => stray(sql)));
}

async function isUp(postgres: Postgres): Promise<boolean> {
  return postgres.sql`select 1`.then(
    () => true,
    () => false,
  );
}

describe("PostgreSQL that is there", () => {
  let database: TestDatabase;
  let postgres: Postgres;

  beforeAll(async () => {
    database = await openTestDatabase();
    postgres = await openPostgres({ ...quick, url: database.url });
  });
  afterAll(async () => {
    await postgres[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  test("it is told who we are, and ends what takes too long", async () => {
    const [row] = await postgres.sql`select current_setting('application_name') as name,
      current_setting('idle_in_transaction_session_timeout') as idle, current_setting('jit') as jit`;
    expect(row).toEqual({ name: "test-postgres", idle: "20s", jit: "off" });
    await expect(postgres.sql`select pg_sleep(5)`).rejects.toThrow(UnavailableError);
    expect(await isUp(postgres)).toBe(true);
  });

  test("fragments, helpers and raw statements work as the client has them", async () => {
    const { sql } = postgres;
    const where = sql`where n > ${1}`;
    expect(await sql`select n from (values (1), (2)) as t (n) ${where}`).toEqual([{ n: 2 }]);
    expect(await sql.unsafe("select $1::integer + 1 as n", [2])).toEqual([{ n: 3 }]);
    expect(await sql`select ${sql("n")} from (values (1)) as t (n)`).toEqual([{ n: 1 }]);
  });

  test.for([
    ["22P02", "select 'x'::integer"],
    ["23505", "insert into pg_class select * from pg_class limit 1"],
    ["22012", "select 1 / 0"],
  ] as const)("an error about data keeps its SQLSTATE %s", async ([code, statement]) => {
    const transaction = postgres.transaction(async (sql) => {
      await sql`create temporary table once (n integer primary key)`;
      await sql`insert into once values (1)`;
      return code === "23505" ? sql`insert into once values (1)` : sql.unsafe(statement);
    });
    await expect(transaction).rejects.toMatchObject({ name: "PostgresError", code });
  });

  test("a table that is not there is the installation's fault, not the event's", async () => {
    await expect(postgres.sql`select * from not_migrated`).rejects.toThrow(UnavailableError);
  });

  test("a transaction commits as a whole or not at all, and answers what the work answers", async () => {
    const { sql } = postgres;
    await sql`create table things (n integer)`;
    const failing = postgres.transaction(async (sql) => {
      await sql`insert into things values (1)`;
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    expect(await sql`select * from things`).toEqual([]);
    const answer = await postgres.transaction(async (sql) => {
      await sql`insert into things values (2)`;
      return [Promise.resolve(1)];
    });
    expect(answer[0]).toBeInstanceOf(Promise);
    expect(await sql`select * from things`).toEqual([{ n: 2 }]);
  });

  test("more callers than connections all get their turn, and a slow one holds up nobody", async () => {
    await using few = await openPostgres({
      ...quick,
      name: "few",
      statementTimeoutMs: 60_000,
      max: 2,
      url: database.url,
    });
    const order: string[] = [];
    let slow: Promise<unknown> = Promise.resolve();
    await postgres.session(async (sql) => {
      await sql`select pg_advisory_lock(7)`;
      slow = few.sql`select pg_advisory_xact_lock(7)`.then(() => order.push("slow"));
      const rows = await Promise.all(
        Array.from({ length: 50 }, (_, n) => few.sql`select ${n}::integer as n`),
      );
      order.push("others");
      expect(rows.map(([row]) => row?.["n"])).toEqual(rows.map((_, n) => n));
    });
    await slow;
    expect(order).toEqual(["others", "slow"]);
    const [count] = await few.sql`select count(*)::integer as n from pg_stat_activity
      where application_name = 'few'`;
    expect(count?.["n"]).toBe(2);
  });

  test.for([
    ["between two statements", (sql: postgres.TransactionSql) => sql`select 1`],
    ["and the work goes on regardless", (sql: postgres.TransactionSql) => ignoreFailures(sql)],
    ["with several statements made at once", (sql: postgres.TransactionSql) => manyAtOnce(sql)],
  ] as const)(
    "a connection lost in a transaction, %s, undoes it and harms nothing else",
    async ([, goOn]) => {
      await using own = await openPostgres({
        ...quick,
        name: "victim",
        statementTimeoutMs: 60_000,
        url: database.url,
      });
      await own.sql`create table if not exists marks (n integer)`;
      const steady = Promise.withResolvers<void>();
      const neighbour = own.transaction(async (sql) => {
        await sql`insert into marks values (1)`;
        await steady.promise;
        return sql`select pg_backend_pid() as pid`;
      });
      const victim = own.transaction(async (sql) => {
        const [me] = await sql`select pg_backend_pid() as pid`;
        await sql`insert into marks values (2)`;
        await postgres.sql`select pg_terminate_backend(${me?.["pid"]})`;
        await vi.waitFor(async () => {
          const left = await postgres.sql`select from pg_stat_activity where pid = ${me?.["pid"]}`;
          expect(left).toHaveLength(0);
        }, nap);
        await goOn(sql);
      });
      await expect(victim).rejects.toThrow(UnavailableError);
      steady.resolve();
      expect(await neighbour).toEqual([{ pid: expect.any(Number) }]);
      expect(await own.sql`select n from marks`).toEqual([{ n: 1 }]);
      await own.sql`drop table marks`;
    },
  );

  test("statements made before their transaction lost its connection do not run after it", async () => {
    await postgres.sql`create table marks (n integer)`;
    const victim = postgres.transaction(async (sql) => {
      const dying = sql`select pg_terminate_backend(pg_backend_pid())`;
      const others = Array.from({ length: 200 }, () => stray(sql));
      const results = await Promise.allSettled([dying, ...others]);
      expect(results.every(({ status }) => status === "rejected")).toBe(true);
    });
    await expect(victim).rejects.toThrow(UnavailableError);
    // Whatever still ran would have come before these, on the same connections.
    await Promise.all(Array.from({ length: 50 }, () => postgres.sql`select 1`));
    expect(await postgres.sql`select n from marks`).toEqual([]);
    await postgres.sql`drop table marks`;
  });

  test("a transaction whose work overlooked a failed statement is not reported as committed", async () => {
    const careless = postgres.transaction(async (sql) => {
      await sql`select 1 / 0`.catch(() => undefined);
    });
    await expect(careless).rejects.toThrow("rolled back");
  });

  test("a session that loses its connection is told at once", async () => {
    let aborted: unknown;
    const session = postgres.session(async (sql, signal) => {
      const [me] = await sql`select pg_backend_pid() as pid`;
      signal.addEventListener("abort", () => (aborted = signal.reason));
      await postgres.sql`select pg_terminate_backend(${me?.["pid"]})`;
      return new Promise(() => undefined);
    });
    await expect(session).rejects.toThrow(UnavailableError);
    expect(aborted).toBeInstanceOf(UnavailableError);
  });

  test("after closing, statements are refused", async () => {
    const own = await openPostgres({ ...quick, url: database.url });
    expect(await isUp(own)).toBe(true);
    await own[Symbol.asyncDispose]();
    await expect(own.sql`select 1`).rejects.toThrow("closed");
    await expect(own.transaction(async (sql) => sql`select 1`)).rejects.toThrow("closed");
  });

  test("a wrong password is reported as the server's refusal", async () => {
    const url = new URL(database.url);
    url.password = "wrong";
    const health = createHealth(Date.now);
    await using own = await openPostgres({
      ...quick,
      url: url.href,
      health: health.dependency("postgres", { impairs: [] }),
    });
    await expect(own.sql`select 1`).rejects.toThrow(/password authentication failed/);
    await vi.waitFor(() => expect(health.statuses()[0]?.detail).toContain("password"), nap);
  });
});

describe("PostgreSQL that is away", () => {
  test("opening does not wait for it, statements fail with UnavailableError, health says so", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as { port: number };
    closed.close();
    const health = createHealth(Date.now);
    await using postgres = await openPostgres({
      ...quick,
      url: `postgres://nobody@127.0.0.1:${port}/x`,
      health: health.dependency("postgres", { impairs: ["everything"] }),
    });
    const failures = await Promise.allSettled(Array.from({ length: 500 }, () => postgres.sql`select 1`));
    expect(failures.every((one) => one.status === "rejected" && one.reason instanceof UnavailableError)).toBe(
      true,
    );
    await vi.waitFor(() => expect(health.statuses()[0]?.detail).toContain("ECONNREFUSED"), nap);
    expect(health.statuses()[0]).toMatchObject({ up: false, impairs: ["everything"] });
  });

  test.for([
    ["says nothing", () => undefined],
    ["hangs up without a word", (socket: { end(): void }) => socket.end()],
    [
      "speaks another protocol",
      (socket: { end(text: string): void }) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    ],
  ] as const)("a peer that accepts connections and %s counts as away", async ([, answer]) => {
    const peer = createServer((socket) => {
      socket.on("error", () => undefined);
      answer(socket);
    }).listen(0, "127.0.0.1");
    await once(peer, "listening");
    const { port } = peer.address() as { port: number };
    const health = createHealth(Date.now);
    await using postgres = await openPostgres({
      ...quick,
      url: `postgres://nobody@127.0.0.1:${port}/x`,
      health: health.dependency("postgres", { impairs: [] }),
    });
    await expect(postgres.sql`select 1`).rejects.toThrow(UnavailableError);
    await vi.waitFor(() => expect(health.statuses()[0]?.detail).not.toBe("not connected yet"), nap);
    expect(health.statuses()[0]?.up).toBe(false);
    peer.close();
  });

  test("predecessor-bug-25: after a stop or kill -9 it is used again, without a restart of ours", async () => {
    await using server = await openPostgresServer({ migrated: false });
    const health = createHealth(Date.now);
    await using postgres = await openPostgres({
      ...quick,
      url: server.url,
      health: health.dependency("postgres", { impairs: [] }),
    });
    for (const outage of [() => server.stop(), () => server.kill()]) {
      await vi.waitFor(async () => expect(await isUp(postgres)).toBe(true), nap);
      await outage();
      // Never an empty answer: that would look like "nothing there". A killed server's processes may answer
      // for another moment.
      await vi.waitFor(() => expect(postgres.sql`select 1`).rejects.toThrow(UnavailableError), nap);
      await vi.waitFor(() => expect(health.statuses()[0]?.up).toBe(false), nap);
      await server.start();
      await vi.waitFor(() => expect(health.statuses()[0]?.up).toBe(true), nap);
    }
    expect(await isUp(postgres)).toBe(true);
  });

  test("a server that freezes fails what is under way, and is used again when it thaws", async () => {
    await using server = await openPostgresServer({ migrated: false });
    await using postgres = await openPostgres({ ...quick, url: server.url });
    await vi.waitFor(async () => expect(await isUp(postgres)).toBe(true), nap);
    server.freeze();
    const [active] = await Promise.allSettled([postgres.transaction((sql) => sql`select pg_sleep(30)`)]);
    expect(active).toMatchObject({ status: "rejected", reason: { dependency: "postgres" } });
    server.thaw();
    await vi.waitFor(async () => expect(await isUp(postgres)).toBe(true), nap);
  });

  test("a connection that died without a word is given up, although the server is well", async () => {
    await using database = await openTestDatabase();
    await using proxy = await openProxy(database.url);
    await using postgres = await openPostgres({ ...quick, connectTimeoutMs: 3000, url: proxy.url });
    await vi.waitFor(async () => expect(await isUp(postgres)).toBe(true), nap);
    proxy.silence();
    await expect(postgres.sql`select 1`).rejects.toThrow("stopped answering");
    await vi.waitFor(async () => expect(await isUp(postgres)).toBe(true), nap);
  });
});

/** A way to the server on which the connections made so far can be silenced: open, and no byte passes. */
async function openProxy(url: string): Promise<{ readonly url: string; silence(): void } & AsyncDisposable> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = createConnection(Number(target.port), target.hostname);
    for (const socket of [near, far]) sockets.add(socket.on("error", () => undefined));
    near.pipe(far).pipe(near);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String((proxy.address() as { port: number }).port);
  return {
    url: through.href,
    silence() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, "close");
    },
  };
}

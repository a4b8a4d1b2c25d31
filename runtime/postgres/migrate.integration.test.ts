import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { connect, migrationFolders, openEmptyDatabase } from "../../test/support/database.ts";
import { UnavailableError } from "../failure.ts";
import { migrate, migrationStatus } from "./migrate.ts";

let cleanup: AsyncDisposableStack;
let url: string;
let sql: postgres.Sql;
let folder: string;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  ({ url } = cleanup.use(await openEmptyDatabase()));
  sql = cleanup.adopt(connect(url), (client) => client.end({ timeout: 1 }));
  folder = await mkdtemp(join(tmpdir(), "auditflow-migrations-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
});
afterEach(() => cleanup.disposeAsync());

/** Writes a migration and answers the options to run it. */
async function write(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return { url, directories: [pathToFileURL(folder).href] };
}

const three = {
  "0001_one.up.sql": "create table one (n integer);\ninsert into one values (1);",
  "0001_one.down.sql": "drop table one;",
  "0002_two.up.sql": "create table two as select n from one;",
  "0002_two.down.sql": "drop table two;",
  "0010_ten.up.sql": "create function ten() returns integer language sql as $$ select 10; $$;",
  "0010_ten.down.sql": "drop function ten();",
};

/** Everything in the schema, by name. */
async function schema(): Promise<readonly unknown[]> {
  return sql`
    select relname as name, relkind as kind from pg_class where relnamespace = 'public'::regnamespace
    union all
    select proname, 'f' from pg_proc where pronamespace = 'public'::regnamespace
    order by 1, 2`;
}

describe("migrations", () => {
  test("all are applied in order, once", async () => {
    const options = await write(three);
    expect(await migrate(options)).toEqual(["0001_one", "0002_two", "0010_ten"]);
    expect(await migrate(options)).toEqual([]);
    expect(await sql`select ten() as ten, n from two`).toEqual([{ ten: 10, n: 1 }]);
  });

  test("up and down go as far as they are told, and status says where we are", async () => {
    const options = await write(three);
    expect(await migrate({ ...options, to: "0001_one" })).toEqual(["0001_one"]);
    expect(await migrationStatus(options)).toEqual([
      { name: "0001_one", applied: true },
      { name: "0002_two", applied: false },
      { name: "0010_ten", applied: false },
    ]);
    await migrate(options);
    expect(await migrate({ ...options, direction: "down" })).toEqual(["0010_ten"]);
    expect(await migrate({ ...options, direction: "down", to: "0001_one" })).toEqual([
      "0002_two",
      "0001_one",
    ]);
    await migrate(options);
    expect(await migrate({ ...options, direction: "down", to: 0 })).toHaveLength(3);
  });

  test("the product's own migrations go up and down twice and leave nothing behind", async () => {
    const options = { url, directories: migrationFolders };
    const clean = await schema();
    await migrate(options);
    const first = await schema();
    await migrate({ ...options, direction: "down", to: 0 });
    expect(await schema()).toEqual([
      ...clean,
      { name: "auditflow_migrations", kind: "r" },
      { name: "auditflow_migrations_pkey", kind: "i" },
    ]);
    await migrate(options);
    expect(await schema()).toEqual(first);
    await migrate({ ...options, direction: "down", to: 0 });
  });

  test("predecessor-bug-30: starts that race apply everything exactly once", async () => {
    const options = await write({
      ...three,
      "0003_slow.up.sql": "select pg_sleep(0.05); insert into one values (3);",
      "0003_slow.down.sql": "delete from one where n = 3;",
    });
    const ran = await Promise.all(Array.from({ length: 8 }, () => migrate(options)));
    expect(ran.flat().toSorted()).toEqual(["0001_one", "0002_two", "0003_slow", "0010_ten"]);
    expect(await sql`select n from one order by n`).toEqual([{ n: 1 }, { n: 3 }]);
  });

  test("predecessor-bug-30: one that fails is reported with file, line and statement, and undone", async () => {
    const options = await write({
      ...three,
      "0011_bad.up.sql":
        "-- makes a table\ncreate table kept (n integer);\n\ninsert into kept\nvalues (1),\n  (1 / 0);\n",
      "0011_bad.down.sql": "",
    });
    await expect(migrate(options)).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message: expect.stringMatching(
        /0011_bad\.up\.sql:4: division by zero \(SQLSTATE 22012\) in: insert into kept/,
      ),
    });
    expect(await sql`select to_regclass('kept') as kept, to_regclass('two') as two`).toEqual([
      { kept: null, two: "two" },
    ]);
    expect((await migrationStatus(options)).find(({ name }) => name === "0011_bad")?.applied).toBe(false);
  });

  test("a syntax error is reported with its own line", async () => {
    const options = await write({
      "0001_bad.up.sql": "select 1;\nselect\n  1,\n  from;\n",
      "0001_bad.down.sql": "",
    });
    await expect(migrate(options)).rejects.toThrow(/0001_bad\.up\.sql:4: syntax error/);
  });

  test.for([
    ["without a number", { "first.up.sql": "", "first.down.sql": "" }, "NNNN_name"],
    ["without its way back", { "0001_one.up.sql": "" }, "no 0001_one.down.sql"],
    [
      "with a number used twice",
      { "0001_a.up.sql": "", "0001_a.down.sql": "", "0001_b.up.sql": "", "0001_b.down.sql": "" },
      "used twice",
    ],
  ] as const)("a migration %s is refused before anything runs", async ([, files, why]) => {
    const options = await write(files);
    await expect(migrate(options)).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      message: expect.stringContaining(why),
    });
  });

  test("a server that is away is UnavailableError, not a failed migration", async () => {
    const options = await write(three);
    const away = new URL(url);
    away.port = "1";
    await expect(migrate({ ...options, url: away.href })).rejects.toThrow(UnavailableError);
  });

  test("a connection lost in between ends it; what was not finished is undone", async () => {
    const options = await write({
      ...three,
      "0011_wait.up.sql": "create table half (n integer); select pg_sleep(60);",
      "0011_wait.down.sql": "drop table half;",
    });
    const outcome = migrate(options).catch((error: unknown) => error);
    await expect
      .poll(
        async () =>
          (
            await sql`select pg_terminate_backend(pid) from pg_stat_activity
              where application_name = 'auditflow-migrate' and query like '%pg_sleep(60)%'`
          ).length,
        { timeout: 20_000 },
      )
      .toBe(1);
    expect(await outcome).toBeInstanceOf(UnavailableError);
    expect(await sql`select to_regclass('half') as half`).toEqual([{ half: null }]);
    await expect
      .poll(async () => (await migrationStatus(options)).map(({ applied }) => applied))
      .toEqual([true, true, true, false]);
  });
});

import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { runCommand } from "../../test/support/command.ts";
import { connect, openEmptyDatabase, openTestDatabase } from "../../test/support/database.ts";

const migration = z.object({ name: z.string() });
const json = (lines: readonly string[]): unknown => JSON.parse(lines.join("\n"));

describe("auditflow migrate", () => {
  test("goes up to a migration, tells where it is, goes on, grants, and goes down when confirmed", async () => {
    await using database = await openEmptyDatabase();
    const env = { DATABASE_URL: database.url };
    const run = (...argv: string[]) => runCommand(["migrate", ...argv], { env });
    expect((await run("up", "--to", "0101_alerts")).out.join("\n")).toContain("0101_alerts");
    const status = await run("status", "-o", "json");
    expect(status.exitCode).toBe(3);
    expect(json(status.out)).toEqual(
      expect.arrayContaining([
        { name: "0101_alerts", applied: true },
        { name: "0102_life_cycle", applied: false },
      ]),
    );
    const role = `auditflow_cli_${randomBytes(4).toString("hex")}`;
    const admin = connect(database.url);
    await admin.unsafe(`create role ${role}`);
    expect(await run("up", "--grant-to", role)).toMatchObject({ exitCode: 0 });
    const [can] = await admin`
      select has_table_privilege(${role}, 'alert_changes', 'insert') as insert,
        has_table_privilege(${role}, 'alert_changes', 'update') as update,
        has_schema_privilege(${role}, current_schema(), 'create') as create`;
    expect(can).toEqual({ insert: true, update: false, create: false });
    expect(await run("up")).toMatchObject({ exitCode: 0, out: [], err: ["Nothing to apply."] });
    expect(await run("status")).toMatchObject({ exitCode: 0 });
    await admin.unsafe(`drop owned by ${role}`);
    await admin.unsafe(`drop role ${role}`);

    const refused = await run("down");
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.err.join("\n")).toContain("--yes");
    const applied = await run("status", "-o", "ndjson");
    expect(applied.exitCode).toBe(0);
    const newest = migration.parse(JSON.parse(applied.out.at(-1) ?? "")).name;
    const down = await run("down", "--yes", "-o", "ndjson");
    expect(down.out.map((line): unknown => JSON.parse(line))).toEqual([{ name: newest, did: "reverted" }]);
    expect((await run("down", "--to", "0", "--yes")).exitCode).toBe(0);
    expect(await admin`select from auditflow_migrations`).toHaveLength(0);
    await admin.end();
  });

  test.for<[string, readonly string[], number, string]>([
    ["a migration that is none", ["up", "--to", "0999_x"], 2, "is no migration: expected one of 0001_ledger"],
    ["a role that is none", ["up", "--grant-to", "nobody_at_all"], 1, "nobody_at_all"],
    ["--to with --grant-to", ["up", "--to", "0101_alerts", "--grant-to", "a"], 2, "leave --to out"],
  ])("refuses %s", async ([, argv, exitCode, text]) => {
    await using database = await openTestDatabase();
    const result = await runCommand(["migrate", ...argv], { env: { DATABASE_URL: database.url } });
    expect(result.exitCode).toBe(exitCode);
    expect(result.err.join("\n")).toContain(text);
  });

  test("says what is missing, and what cannot be reached", async () => {
    expect((await runCommand(["migrate", "status"])).err.join("\n")).toContain("DATABASE_URL");
    const away = await runCommand(["migrate", "status"], {
      env: { DATABASE_URL: "postgres://a@127.0.0.1:1/x" },
    });
    expect(away.exitCode).toBe(4);
  });
});

describe("auditflow retention", () => {
  test("tells what would go, and deletes it", async () => {
    await using database = await openTestDatabase();
    const admin = connect(database.url);
    await admin`
      insert into dead_letters (dead_letter_id, kind, code, detail, origin, headers, body, received_at)
      values (gen_random_uuid(), 'rejected', 'C', 'd', 'o', '{}', '', now() - interval '90 days')`;
    const env = { DATABASE_URL: database.url, AUDITFLOW_RETENTION_DAYS: "30" };
    const run = (...argv: string[]) => runCommand(["retention", ...argv], { env });
    const dry = await run("--dry-run", "-o", "json");
    expect(json(dry.out)).toContainEqual(expect.objectContaining({ table: "dead_letters", rows: 1 }));
    expect(await admin`select from dead_letters`).toHaveLength(1);
    expect((await run("--days", "100", "-o", "json")).exitCode).toBe(0);
    expect(await admin`select from dead_letters`).toHaveLength(1);
    const table = await run();
    expect(table.out.find((line) => line.startsWith("dead_letters"))).toMatch(/^dead_letters +1 +0/);
    expect(await admin`select from dead_letters`).toHaveLength(0);
    await admin.end();
  });

  test("without a number of days it deletes nothing and says so", async () => {
    const env = { DATABASE_URL: "postgres://a@127.0.0.1:1/x" };
    expect(await runCommand(["retention"], { env })).toMatchObject({ exitCode: 2 });
    const none = await runCommand(["retention"], { env: { ...env, AUDITFLOW_RETENTION_DAYS: "0" } });
    expect(none).toMatchObject({ exitCode: 2 });
    expect(none.err.join("\n")).toContain("AUDITFLOW_RETENTION_DAYS");
  });
});

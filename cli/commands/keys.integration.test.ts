import { afterAll, beforeAll, expect, test } from "vitest";

import { createLog } from "../../runtime/log.ts";
import { createKeyStore } from "../../runtime/access/key-store.ts";
import { createKeys } from "../../runtime/access/keys.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { runCommand } from "../../test/support/command.ts";
import { openEmptyDatabase, openTestDatabase, type TestDatabase } from "../../test/support/database.ts";

const log = createLog({ name: "test", level: "silent" });

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const keys = (...argv: readonly string[]) =>
  runCommand(["keys", ...argv], { env: { DATABASE_URL: database.url } });

test("a key is made, opens what it may, is listed without its secret, and ends", async () => {
  const made = await keys(
    "create",
    "--name",
    "falco",
    "--scope",
    "ingest",
    "--scope",
    "viewer",
    "--expires",
    "90d",
  );
  expect(made.exitCode).toBe(0);
  const [token = ""] = made.out;
  expect(made.out).toHaveLength(1);
  expect(made.err.join(" ")).toContain("of falco may ingest, viewer until ");
  expect(made.err.join(" ")).not.toContain(token);
  await using postgres = await openPostgres({ url: database.url, name: "test", max: 1, log });
  await using checking = createKeys({ store: createKeyStore(postgres), log });
  const principal = await checking.check(token, () => {});
  expect([principal.id, [...principal.scopes]]).toEqual(["falco", ["ingest", "viewer"]]);

  const listed = await keys("list");
  const [, prefix = "", secret = "?"] = token.split("_");
  expect(listed.out.at(-1)).toMatch(new RegExp(`^${prefix} +falco +ingest,viewer +active +`));
  expect(listed.out.join(" ")).not.toContain(secret);

  expect((await keys("revoke", prefix)).exitCode).toBe(0);
  await expect(checking.check(token, () => {})).rejects.toThrow("is revoked");
  const [row] = JSON.parse((await keys("list", "-o", "json")).out.join(""));
  expect([row.name, row.state, row.hash]).toEqual(["falco", "revoked", undefined]);
});

test("as JSON a key comes with what is known of it", async () => {
  const made = await keys("create", "--name", "ops", "--scope", "admin", "-o", "json");
  expect(JSON.parse(made.out.join(""))).toMatchObject({
    token: expect.stringMatching(/^af_/),
    name: "ops",
    scopes: ["admin"],
    expires_at: null,
  });
});

test.for([
  [["create", "--name", "x"], 2, "--scope"],
  [["create", "--scope", "viewer"], 2, "--name"],
  [
    ["create", "--name", "x", "--scope", "root"],
    2,
    '"root" is not a scope: expected ingest, viewer, responder, admin.',
  ],
  [
    ["create", "--name", "x", "--scope", "viewer", "--expires", "soon"],
    2,
    '"soon" is no duration such as 12h',
  ],
  [["create", "--name", "\u001b[2J", "--scope", "viewer"], 2, "A name has 1 to 100 characters"],
  [["revoke", "nobody"], 6, 'no key with the id or prefix "nobody"'],
  [["revoke", "af_abc"], 2, "That is a key itself"],
] as const)("%j ends with %i: %s", async ([argv, code, message]) => {
  const result = await keys(...argv);
  expect([result.exitCode, result.out]).toEqual([code, []]);
  expect(result.err.join("\n")).toContain(message);
});

test("without the tables it says what to do, and without a database that it is away", async () => {
  await using empty = await openEmptyDatabase();
  const bare = await runCommand(["keys", "list"], { env: { DATABASE_URL: empty.url } });
  expect([bare.exitCode, bare.err.join(" ")]).toEqual([2, expect.stringContaining("auditflow migrate up")]);
  const away = await runCommand(["keys", "list"], {
    env: { DATABASE_URL: "postgres://nobody@127.0.0.1:1/x" },
  });
  expect(away.exitCode).toBe(4);
  expect((await runCommand(["keys", "list"], {})).err.join(" ")).toContain("DATABASE_URL");
});

import { randomBytes, randomUUID } from "node:crypto";
import type postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connect, openTestDatabase, type TestDatabase } from "../../test/support/database.ts";
import { createLog } from "../log.ts";
import { openPostgres, type Postgres } from "../postgres/postgres.ts";
import { hashSecret } from "./hash.ts";
import { createKeyStore, type KeyStore, type ListedKey } from "./key-store.ts";
import { createKeys, type Keys } from "./keys.ts";
import type { Scope } from "./scopes.ts";
import { createToken } from "./token.ts";

const log = createLog({ name: "test", level: "silent" });
const admit = () => {};

let database: TestDatabase;
let connection: Postgres;
let admin: postgres.Sql;
let store: KeyStore;
let keys: Keys;

beforeAll(async () => {
  database = await openTestDatabase();
  connection = await openPostgres({ url: database.url, name: "test", max: 2, log });
  admin = connect(database.url);
  store = createKeyStore(connection);
  keys = createKeys({ store, log });
});
afterAll(async () => {
  await keys[Symbol.asyncDispose]();
  await connection[Symbol.asyncDispose]();
  await admin.end();
  await database[Symbol.asyncDispose]();
});

async function make(
  scopes: readonly Scope[] = ["viewer"],
  lifeMs?: number,
): Promise<ListedKey & { text: string }> {
  const { prefix, text } = createToken((bytes) => randomBytes(bytes).toString("hex"));
  const hash = await hashSecret(text);
  const key = await store.insert({ keyId: randomUUID(), prefix, name: "falco", scopes, hash, lifeMs });
  return { ...key, text };
}

test("a key that was made is known by its text alone, of which the table holds nothing", async () => {
  const { text, ...key } = await make(["ingest", "responder"], 86_400_000);
  expect(key).toMatchObject({ name: "falco", scopes: ["ingest", "responder"], state: "active" });
  expect(Date.parse(key.expires_at ?? "") - Date.parse(key.created_at)).toBe(86_400_000);
  const principal = await keys.check(text, admit);
  expect([principal.id, [...principal.scopes]]).toEqual(["falco", ["ingest", "responder", "viewer"]]);
  const [row] = await admin<{ whole: string }[]>`
    select api_keys::text as whole from api_keys where key_id = ${key.key_id}`;
  expect(row?.whole).toContain(key.prefix);
  const [, , secret = "?"] = text.split("_");
  expect(row?.whole).not.toContain(secret);
});

test("a key ends when it is revoked, by id or prefix, and when its time has come", async () => {
  const [byId, byPrefix, timed] = [await make(), await make(), await make(["viewer"], 1)];
  await keys.check(byId.text, admit);
  expect(await store.revoke(byId.key_id.toUpperCase())).toMatchObject({ state: "revoked" });
  await expect(keys.check(byId.text, admit)).rejects.toThrow("is revoked");
  const revoked = await store.revoke(byPrefix.prefix);
  expect(await store.revoke(byPrefix.prefix)).toEqual(revoked);
  await expect.poll(() => store.find(timed.prefix)).toMatchObject({ state: "expired" });
  await expect(keys.check(timed.text, admit)).rejects.toThrow("is expired");
  expect(await store.revoke("nobody")).toBeUndefined();
});

test("that a key was used is noted, at most once a minute", async () => {
  const { text, key_id } = await make();
  const used = async () => {
    const [row] = await admin<{ at: string | null; version: string }[]>`
      select last_used_at::text as at, xmin::text as version from api_keys where key_id = ${key_id}`;
    return row;
  };
  await keys.check(text, admit);
  await expect.poll(async () => (await used())?.at).not.toBeNull();
  const first = await used();
  for (let count = 0; count < 5; count += 1) await keys.check(text, admit);
  await store.noteUse(key_id);
  expect(await used()).toEqual(first);
  await admin`update api_keys set last_used_at = now() - interval '61 seconds' where key_id = ${key_id}`;
  await keys.check(text, admit);
  await expect
    .poll(async () => Date.parse((await used())?.at ?? ""))
    .toBeGreaterThanOrEqual(Date.parse(first?.at ?? ""));
});

test("keys are listed newest first, without their hashes", async () => {
  await admin`delete from api_keys`;
  const made = [await make(), await make(["admin"])];
  const listed = await store.list();
  expect(listed.map(({ key_id }) => key_id)).toEqual(made.toReversed().map(({ key_id }) => key_id));
  expect(Object.keys(listed[0] ?? {})).not.toContain("hash");
});

test("a scope that does not exist is refused by the table", async () => {
  await expect(
    admin`insert into api_keys (key_id, prefix, name, scopes, hash) values (${randomUUID()}, 'p', 'n', '{root}', '')`,
  ).rejects.toMatchObject({ code: "23514" });
});

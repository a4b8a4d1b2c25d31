import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openEmbeddedPostgres } from "../../runtime/postgres/embedded.ts";
import { connect, prefix, runVariable, serverDirectory } from "./database.ts";

/**
 * Names the run, so that its test files share one server, and cleans up after it. Starts nothing: the first
 * test that opens a database does. Called once per vitest project; the first call counts.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[runVariable] !== undefined) return undefined;
  process.env[runVariable] = randomBytes(4).toString("hex");
  await removeLeftovers();
  return async () => {
    const given = process.env["AUDITFLOW_TEST_DATABASE_URL"] ?? process.env["DATABASE_URL"];
    await (given ? dropDatabases(given) : removeServer(serverDirectory()));
  };
}

/** No run takes this long: whatever is older belongs to one that was killed. */
const abandonedMs = 3 * 60 * 60_000;

async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!/^auditflow-(?:test|postgres)-/.test(name)) continue;
    const directory = join(tmpdir(), name);
    const { mtimeMs } = await stat(directory);
    if (Date.now() - mtimeMs > abandonedMs) await removeServer(directory);
  }
}

async function removeServer(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  // Joining makes us its last user, whatever became of the workers.
  const server = await openEmbeddedPostgres({ directory, durable: false });
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
}

async function dropDatabases(url: string): Promise<void> {
  const sql = connect(url);
  try {
    const left = await sql<{ datname: string }[]>`
      select datname from pg_database where starts_with(datname, ${prefix()})`;
    for (const { datname } of left) await sql`drop database if exists ${sql(datname)} with (force)`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

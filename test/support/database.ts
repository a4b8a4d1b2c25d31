import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";

import { migrationFolders } from "../../cli/migrations.ts";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "../../runtime/postgres/embedded.ts";
import { migrate } from "../../runtime/postgres/migrate.ts";

/** Set by `global-setup.ts`: where this run keeps its server, and what its databases are called. */
export const runVariable = "AUDITFLOW_TEST_RUN";

export { migrationFolders };

export interface TestDatabase extends AsyncDisposable {
  /** Of a role that owns the database and may create roles and databases. */
  readonly url: string;
}

/**
 * A fresh database with all migrations applied, cloned from a template and dropped when disposed. The
 * server is `AUDITFLOW_TEST_DATABASE_URL`, else `DATABASE_URL`, else an embedded one, which the first call
 * of a run starts. Open one per test file: `await using database = await openTestDatabase()`.
 */
export async function openTestDatabase(): Promise<TestDatabase> {
  return openDatabase(migrationFolders);
}

/** The same without any migration. */
export async function openEmptyDatabase(): Promise<TestDatabase> {
  return openDatabase([]);
}

async function openDatabase(folders: readonly string[]): Promise<TestDatabase> {
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await openServer());
  const admin = opening.adopt(connect(server.url), (sql) => sql.end({ timeout: 1 }));
  const template = await prepareTemplate(admin, server.url, folders);
  const name = `${prefix()}_${randomBytes(6).toString("hex")}`;
  await admin`create database ${admin(name)} template ${admin(template)}`;
  opening.defer(() => admin`drop database if exists ${admin(name)} with (force)`.then(() => undefined));
  const opened = opening.move();
  return { url: withDatabase(server.url, name), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function openServer(): Promise<{ readonly url: string } & AsyncDisposable> {
  const given = process.env["AUDITFLOW_TEST_DATABASE_URL"] ?? process.env["DATABASE_URL"];
  if (given) return { url: given, [Symbol.asyncDispose]: async () => undefined };
  const server = await openEmbeddedPostgres({ directory: serverDirectory(), durable: false });
  // Within a run the server stays for the next file; `global-setup.ts` stops it in the end.
  return process.env[runVariable] ? keepRunning(server) : server;
}

function keepRunning({ url }: EmbeddedPostgres): { readonly url: string } & AsyncDisposable {
  return { url, [Symbol.asyncDispose]: async () => undefined };
}

/** Where the run's server lives. */
export function serverDirectory(): string {
  return join(tmpdir(), `auditflow-test-${process.env[runVariable] ?? `alone-${process.getuid?.() ?? 0}`}`);
}

/** How the databases of this run begin; what begins so is removed in the end. */
export function prefix(): string {
  return `auditflow_test_${process.env[runVariable] ?? "alone"}`;
}

/** The migrated template, made once per content of the migrations; racing files wait for the first. */
async function prepareTemplate(
  admin: postgres.Sql,
  serverUrl: string,
  folders: readonly string[],
): Promise<string> {
  if (folders.length === 0) return "template1";
  const name = `${prefix()}_template_${await fingerprint(folders)}`;
  const session = await admin.reserve();
  try {
    await session`select pg_advisory_lock(hashtext(${name}))`;
    const known = await session`select from pg_database where datname = ${name}`;
    if (known.length === 0) await makeTemplate(admin, serverUrl, { name, folders });
    return name;
  } finally {
    await session`select pg_advisory_unlock(hashtext(${name}))`;
    session.release();
  }
}

async function makeTemplate(
  admin: postgres.Sql,
  serverUrl: string,
  { name, folders }: { readonly name: string; readonly folders: readonly string[] },
): Promise<void> {
  const draft = `${name}_draft`;
  await admin`drop database if exists ${admin(draft)} with (force)`;
  await admin`create database ${admin(draft)}`;
  await migrate({ url: withDatabase(serverUrl, draft), directories: folders });
  // Renamed when complete: a run killed meanwhile leaves no half template.
  await admin`alter database ${admin(draft)} rename to ${admin(name)}`;
}

async function fingerprint(folders: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of folders) {
    for (const name of (await readdir(new URL(folder))).toSorted()) {
      hash.update(name).update(await readFile(new URL(`${folder}/${name}`)));
    }
  }
  return hash.digest("hex").slice(0, 12);
}

/** A small client for tests and their clean-up. */
export function connect(url: string): postgres.Sql {
  return postgres(url, { max: 2, onnotice: () => undefined });
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

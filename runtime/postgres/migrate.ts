import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { type RunnableMigration, Umzug, type UmzugStorage } from "umzug";

import type { Pinned } from "./connection.ts";
import { runSession, type Session } from "./session.ts";
import { isConnectionError, toFailure } from "./sqlstate.ts";
import { lineAt, splitStatements, type Statement } from "./statements.ts";
import { runTransaction } from "./transaction.ts";

/** A migration could not be read or run; the message names the file and the statement. */
class MigrationError extends Error {
  override readonly name = "MigrationError";
  readonly code: "MIGRATION_FAILED" | "MIGRATION_INVALID";

  constructor(code: MigrationError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface MigrateOptions {
  readonly url: string;
  /** URLs (`file:`) or paths of folders with `NNNN_name.up.sql` and `NNNN_name.down.sql`. */
  readonly directories: readonly string[];
}

export interface MigrateTarget {
  readonly direction?: "up" | "down";
  /**
   * The last migration to apply or, going down, to revert (`0` reverts all). Without it everything is
   * applied, or the newest one reverted.
   */
  readonly to?: string | 0;
}

export interface MigrationStatus {
  readonly name: string;
  readonly applied: boolean;
}

/** Waiting longer than this for a table's lock would make everybody behind us wait too. */
const lockTimeoutMs = 15_000;

/**
 * Applies or reverts migrations and answers the names of those it ran, in order. Needs the right to create
 * tables. Starts that race are safe: a session lock lets one work and the others find nothing left to do.
 * Each migration and its entry in `auditflow_migrations` commit together. Throws `MigrationError` or, when
 * the server cannot be reached, `UnavailableError`.
 */
export async function migrate(options: MigrateOptions & MigrateTarget): Promise<readonly string[]> {
  const { direction = "up", to } = options;
  return withMigrator(options, async (umzug) => {
    const ran = direction === "down" ? await umzug.down(down(to)) : await umzug.up(up(to));
    return ran.map(({ name }) => name);
  });
}

/** Every known migration and whether it is applied. */
export async function migrationStatus(options: MigrateOptions): Promise<readonly MigrationStatus[]> {
  return withMigrator(options, async (umzug) => {
    const [executed, pending] = await Promise.all([umzug.executed(), umzug.pending()]);
    const all = [
      ...executed.map(({ name }) => ({ name, applied: true })),
      ...pending.map(({ name }) => ({ name, applied: false })),
    ];
    return all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  });
}

const up = (to: string | 0 | undefined) => (typeof to === "string" ? { to } : {});
const down = (to: string | 0 | undefined) => (to === undefined ? {} : { to });

async function withMigrator<T>(options: MigrateOptions, work: (umzug: Umzug) => Promise<T>): Promise<T> {
  const files = await readMigrations(options.directories);
  const connection = {
    url: options.url,
    name: "auditflow-migrate",
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 0,
  };
  try {
    // The lock lives as long as the session; when that is lost, nothing more is run.
    return await runSession(connection, async (session) => {
      await lock(session.sql);
      const migrations = files.map((file) => runnable(session, file));
      return work(new Umzug({ migrations, storage: createStorage(session.sql), logger: undefined }));
    });
  } catch (error) {
    throw explain(error);
  }
}

/** Held until the session ends. The wait is polled: a blocked `pg_advisory_lock` would hold back vacuum. */
async function lock(sql: postgres.Sql): Promise<void> {
  await sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, false)`;
  for (;;) {
    const [row] = await sql<{ held: boolean }[]>`
      select pg_try_advisory_lock(hashtextextended('auditflow migrations', 0)) as held`;
    if (row?.held) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await sql`
    create table if not exists auditflow_migrations (
      name text primary key,
      applied_at timestamptz not null default now()
    )`;
}

function createStorage(sql: postgres.Sql): UmzugStorage<object> {
  return {
    async executed() {
      const rows = await sql<{ name: string }[]>`select name from auditflow_migrations order by name`;
      return rows.map(({ name }) => name);
    },
    // The entry is written in the migration's own transaction.
    logMigration: async () => undefined,
    unlogMigration: async () => undefined,
  };
}

interface MigrationFiles {
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

async function readMigrations(directories: readonly string[]): Promise<readonly MigrationFiles[]> {
  const found: MigrationFiles[] = [];
  for (const directory of directories) {
    const folder = directory.startsWith("file:") ? fileURLToPath(directory) : directory;
    const names = new Set(await readdir(folder));
    for (const name of names) {
      if (!name.endsWith(".up.sql")) continue;
      const base = name.slice(0, -".up.sql".length);
      if (!/^\d{4}_\w+$/.test(base)) throw invalid(name, "its name is not NNNN_name.up.sql");
      if (!names.has(`${base}.down.sql`)) throw invalid(name, `there is no ${base}.down.sql beside it`);
      found.push({ name: base, up: `${folder}/${name}`, down: `${folder}/${base}.down.sql` });
    }
  }
  const sorted = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const twice = sorted.find((file, index) => sorted[index - 1]?.name.slice(0, 4) === file.name.slice(0, 4));
  if (twice) throw invalid(twice.name, "its number is used twice");
  return sorted;
}

function runnable({ connection }: Session, { name, up, down }: MigrationFiles): RunnableMigration<object> {
  return {
    name,
    up: () => run(connection, up, (sql) => sql`insert into auditflow_migrations (name) values (${name})`),
    down: () => run(connection, down, (sql) => sql`delete from auditflow_migrations where name = ${name}`),
  };
}

async function run(
  connection: Pinned,
  path: string,
  enter: (sql: postgres.TransactionSql) => Promise<unknown>,
): Promise<void> {
  const file = await readFile(path, "utf8");
  await runTransaction(connection, async (sql) => {
    for (const statement of splitStatements(file)) await execute(sql, path, statement);
    await enter(sql);
  });
}

async function execute(sql: postgres.TransactionSql, path: string, statement: Statement): Promise<void> {
  try {
    await sql.unsafe(statement.text);
  } catch (error) {
    if (isConnectionError(error)) throw error;
    throw failed(path, statement, error);
  }
}

function failed(path: string, { text, line }: Statement, error: unknown): MigrationError {
  const { position, code } = error instanceof postgres.PostgresError ? error : {};
  const at = position === undefined ? line : line + lineAt(text, Number(position) - 1) - 1;
  const reason = error instanceof Error ? error.message : String(error);
  const head = text.split("\n")[0]?.slice(0, 120);
  return new MigrationError("MIGRATION_FAILED", `${path}:${at}: ${reason} (SQLSTATE ${code}) in: ${head}`, {
    cause: error,
  });
}

function invalid(name: string, why: string): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `Migration ${name} cannot be used: ${why}.`);
}

/** umzug wraps what a migration throws; the cause is what a person needs. */
function explain(error: unknown): unknown {
  const cause = error instanceof Error && error.name === "MigrationError" ? error.cause : undefined;
  if (error instanceof MigrationError) return error;
  return toFailure(cause ?? error);
}

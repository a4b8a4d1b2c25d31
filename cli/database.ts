import { z } from "zod";

import { parseConfig } from "../runtime/config.ts";
import { UnavailableError } from "../runtime/failure.ts";
import { createLog } from "../runtime/log.ts";
import { openPostgres, type Postgres } from "../runtime/postgres/postgres.ts";
import { urlSetting } from "../runtime/settings.ts";
import { CliError, exitCode } from "./exit-code.ts";

const databaseConfig = z.object({
  DATABASE_URL: urlSetting({
    schemes: ["postgres", "postgresql"],
    example: "postgres://user@host:5432/auditflow",
  }),
});

/** The database a command works on, from DATABASE_URL. Throws ConfigError. */
export function databaseUrl(env: NodeJS.ProcessEnv): string {
  return parseConfig(databaseConfig, env).DATABASE_URL;
}

/** Statements of maintenance count whole months. */
const statementTimeoutMs = 15 * 60_000;

/** Runs work on the database and closes it. Throws CliError when it cannot be reached. */
export async function withDatabase<T>(url: string, work: (postgres: Postgres) => Promise<T>): Promise<T> {
  const log = createLog({ name: "auditflow", level: "silent" });
  await using postgres = await openPostgres({ url, name: "auditflow-cli", max: 1, log, statementTimeoutMs });
  // Awaited here: the connection is closed on the way out.
  return await asReachable(() => work(postgres));
}

/** Turns "not available" into an error for people. */
export async function asReachable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    throw new CliError(error.message, exitCode.unreachable, { cause: error });
  }
}

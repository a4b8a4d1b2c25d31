import { Command, Option } from "commander";
import postgres from "postgres";

import { migrate, migrationStatus } from "../../runtime/postgres/migrate.ts";
import type { CommandContext } from "../context.ts";
import { asReachable, databaseUrl, withDatabase } from "../database.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { grantTo } from "../migrate/grants.ts";
import { migrationFolders } from "../migrations.ts";
import { type Format, formatOption, printRows } from "../print.ts";

interface Options {
  readonly to?: string;
  readonly yes?: boolean;
  readonly grantTo?: string;
  readonly output: Format;
}

/** `auditflow migrate`: the tables in the database of DATABASE_URL, as a role that may create them. */
export function migrateCommand(context: CommandContext): Command {
  return new Command("migrate")
    .description("create, change or take away the tables in the database of DATABASE_URL")
    .addCommand(
      new Command("up")
        .description("apply what is not applied yet")
        .addOption(to("the last migration to apply, such as 0102_life_cycle"))
        .option("--grant-to <role>", "give the role of the functions exactly the rights they need")
        .addOption(formatOption())
        .action((options: Options) => up(context, options)),
    )
    .addCommand(
      new Command("down")
        .description("revert the newest migration, or down to one; rows can be lost")
        .addOption(to("the last migration to revert, or 0 for all"))
        .option("--yes", "confirm that rows may be lost")
        .addOption(formatOption())
        .action((options: Options) => down(context, options)),
    )
    .addCommand(
      new Command("status")
        .description("list the migrations; ends with 3 when some are not applied")
        .addOption(formatOption())
        .action((options: Options) => status(context, options)),
    );
}

const to = (what: string) => new Option("--to <name>", what);

async function up(context: CommandContext, { to, grantTo: role, output }: Options): Promise<void> {
  const url = databaseUrl(context.env);
  if (to !== undefined && role !== undefined) {
    throw new CliError("--grant-to needs every migration: leave --to out.", exitCode.usage);
  }
  await checkName(url, to);
  const names = await run(() =>
    migrate({ url, directories: migrationFolders, ...(to === undefined ? {} : { to }) }),
  );
  print(context, names, { did: "applied", none: "Nothing to apply.", output });
  if (role === undefined) return;
  const tables = await run(() => withDatabase(url, (database) => grantTo(database, role)));
  context.output.err(`${role} may use ${tables.length} tables, and create none`);
}

async function down(context: CommandContext, { to, yes = false, output }: Options): Promise<void> {
  const url = databaseUrl(context.env);
  if (!yes) {
    throw new CliError("Going down can lose rows. Make a backup, then confirm with --yes.", exitCode.usage);
  }
  if (to !== "0") await checkName(url, to);
  const target = to === undefined ? {} : { to: to === "0" ? (0 as const) : to };
  const names = await run(() =>
    migrate({ url, directories: migrationFolders, direction: "down", ...target }),
  );
  print(context, names, { did: "reverted", none: "Nothing to revert.", output });
}

async function status(context: CommandContext, { output }: Options): Promise<void> {
  const url = databaseUrl(context.env);
  const rows = await run(() => migrationStatus({ url, directories: migrationFolders }));
  const columns = [
    ["MIGRATION", ({ name }: { readonly name: string }) => name],
    ["APPLIED", ({ applied }: { readonly applied: boolean }) => (applied ? "yes" : "no")],
  ] as const;
  printRows({ rows, columns, none: "No migrations." }, output, context.output);
  if (rows.some(({ applied }) => !applied)) context.endWith(exitCode.problems);
}

/** A name that is none would apply nothing, or everything. */
async function checkName(url: string, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  const known = await run(() => migrationStatus({ url, directories: migrationFolders }));
  if (known.some((migration) => migration.name === name)) return;
  const names = known.map((migration) => migration.name).join(", ");
  throw new CliError(`--to "${name}" is no migration: expected one of ${names}.`, exitCode.usage);
}

function print(
  { output: streams }: CommandContext,
  names: readonly string[],
  { did, none, output }: { readonly did: string; readonly none: string; readonly output: Format },
): void {
  const rows = names.map((name) => ({ name, did }));
  const columns = [
    ["MIGRATION", (row: { readonly name: string }) => row.name],
    ["DONE", () => did],
  ] as const;
  printRows({ rows, columns, none }, output, streams);
}

/** What the server refuses is told without a stack: it is about the database, not about us. */
async function run<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await asReachable(work);
  } catch (error) {
    const isTold =
      error instanceof postgres.PostgresError || (error instanceof Error && error.name === "MigrationError");
    if (isTold) throw new CliError(error.message, exitCode.failure, { cause: error });
    throw error;
  }
}

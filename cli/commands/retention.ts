import { Command } from "commander";

import {
  retentionSettings,
  runRetention,
  type TableRetention,
} from "../../functions/notification/store/retention.ts";
import { parseConfig } from "../../runtime/config.ts";
import type { CommandContext } from "../context.ts";
import { databaseUrl, withDatabase } from "../database.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { type Format, formatOption, printRows } from "../print.ts";
import { positiveInteger } from "./tail.ts";

interface Options {
  readonly days?: number;
  readonly dryRun?: boolean;
  readonly output: Format;
}

/** `auditflow retention`: deletes what is older than is to be kept. */
export function retentionCommand({ env, output }: CommandContext): Command {
  return new Command("retention")
    .description("delete what is older than AUDITFLOW_RETENTION_DAYS from the database of DATABASE_URL")
    .option("--days <n>", "keep so many days instead", positiveInteger)
    .option("--dry-run", "only tell what would go")
    .addOption(formatOption())
    .action(async ({ days: given, dryRun = false, output: format }: Options) => {
      const url = databaseUrl(env);
      const days = given ?? parseConfig(retentionSettings, env).AUDITFLOW_RETENTION_DAYS;
      if (days === undefined) {
        throw new CliError(
          "Everything is kept: set AUDITFLOW_RETENTION_DAYS or give --days to say how long.",
          exitCode.usage,
        );
      }
      const report = await withDatabase(url, (postgres) => runRetention({ postgres, days, dryRun }));
      printRows({ rows: report.tables, columns, none: "No tables." }, format, output);
      output.err(`${dryRun ? "would keep" : "kept"} the last ${days} days`);
    });
}

const columns = [
  ["TABLE", ({ table }: TableRetention) => table],
  ["ROWS", ({ rows }: TableRetention) => String(rows)],
  ["OF OPEN ALERTS", (row: TableRetention) => String(row.open_rows)],
  ["DROPPED", ({ dropped }: TableRetention) => dropped.join(" ") || "-"],
  ["KEPT", ({ kept }: TableRetention) => kept.join(" ") || "-"],
] as const;

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createWriteStream } from "node:fs";
import { Command, Option } from "commander";

import { toTime } from "../alerts/list.ts";
import { createClient } from "../api.ts";
import type { CommandContext } from "../context.ts";

const formats = ["ndjson", "csv", "ocsf", "ecs"] as const;

interface ExportOptions {
  readonly target?: string;
  readonly tokenFile?: string;
  readonly format: string;
  readonly since?: string;
  readonly until?: string;
  readonly include?: string;
  readonly file?: string;
}

/** `auditflow export`: all alerts of a query, streamed. */
export function exportCommand({ env, stdout }: CommandContext): Command {
  return new Command("export")
    .description("write all alerts that a query matches, to standard output or a file")
    .argument("[query...]", "such as 'status:resolved rule:ssh-*'; everything without one")
    .addOption(new Option("--format <format>", "ndjson, csv, ocsf or ecs").choices(formats).default("ndjson"))
    .option("--since <time>", "last seen from then on: 24h, 7d or a date and time")
    .option("--until <time>", "last seen before then")
    .option("--include <what>", "suppressed: also the alerts of rules on trial")
    .option("--file <path>", "where to write, instead of standard output")
    .option("--target <url>", "the running AuditFlow (default: $AUDITFLOW_URL, else the one started here)")
    .option("--token-file <path>", "file with an API key or token (default: $AUDITFLOW_TOKEN)")
    .addHelpText("after", "\nExamples:\n  auditflow export is:open --format csv > open.csv")
    .action(async (query: readonly string[], options: ExportOptions) => {
      const client = await createClient({ ...options, env });
      const response = await client.fetch("GET", "/api/v1/alerts/export", {
        query: {
          format: options.format,
          q: query.length > 0 ? query.join(" ") : undefined,
          from: toTime(options.since),
          to: toTime(options.until),
          include: options.include,
        },
        headers: { accept: "*/*" },
      });
      if (!response.body) return;
      const body = Readable.fromWeb(response.body);
      if (options.file === undefined) await pipeline(body, stdout, { end: false });
      else await pipeline(body, createWriteStream(options.file));
    });
}

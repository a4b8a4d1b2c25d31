import { Command } from "commander";

import { type ApiClient, createClient } from "../api.ts";
import { type CommonOptions, withApiOptions } from "../api-options.ts";
import { positiveInteger } from "../commands/tail.ts";
import type { CommandContext } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { printRows } from "../print.ts";
import { alertColumns, alertPage, type AlertRow } from "./rows.ts";

interface ListOptions extends CommonOptions {
  readonly since?: string;
  readonly until?: string;
  readonly sort?: string;
  readonly limit: number;
  readonly include?: string;
  readonly failEmpty?: boolean;
}

/** `auditflow alerts list`: a page of alerts, or as many as are asked for. */
export function listCommand(context: CommandContext): Command {
  const command = new Command("list")
    .description("list alerts, newest first")
    .argument("[query...]", "what to list, such as 'is:open severity:>=high rule:ssh-*'")
    .option("--since <time>", "last seen from then on: 24h, 7d or a date and time")
    .option("--until <time>", "last seen before then")
    .option("--sort <name>", "timestamp, last_seen, severity or count; a - before it turns it round")
    .option("--limit <n>", "at most this many", positiveInteger, 50)
    .option("--include <what>", "suppressed: also the alerts of rules on trial")
    .option("--fail-empty", "end with 3 when there are none");
  return withApiOptions(command)
    .addHelpText("after", examples)
    .action(async (query: readonly string[], options: ListOptions) => {
      const client = await createClient({ ...options, env: context.env });
      const rows = await readAlerts(client, { query, ...options });
      printRows({ rows, columns: alertColumns, none: "No alerts." }, options.output, context.output);
      if (rows.length === 0 && options.failEmpty) context.endWith(exitCode.problems);
    });
}

const examples = `
Examples:
  auditflow alerts list is:open 'severity:>=high'
  auditflow alerts list 'actor:root -rule:ssh-known-scanner' --since 24h -o json
  auditflow alerts list is:open -o ndjson | jq -r .alert_id | auditflow alerts ack - --reason "on it"`;

const maxPage = 500;

async function readAlerts(
  client: ApiClient,
  { query, since, until, sort, limit, include }: ListOptions & { readonly query: readonly string[] },
): Promise<readonly AlertRow[]> {
  const rows: AlertRow[] = [];
  let cursor: string | undefined;
  do {
    const page = alertPage.parse(
      await client.request("GET", "/api/v1/alerts", {
        query: {
          q: query.length > 0 ? query.join(" ") : undefined,
          from: toTime(since),
          to: toTime(until),
          sort,
          include,
          cursor,
          limit: Math.min(maxPage, limit - rows.length),
        },
      }),
    );
    rows.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && rows.length < limit);
  return rows;
}

/** `24h` as the API says it; a date and time stays as it is. */
export function toTime(text: string | undefined): string | undefined {
  return text !== undefined && /^\d+[smhdw]$/.test(text) ? `now-${text}` : text;
}

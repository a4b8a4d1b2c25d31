import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { z } from "zod";

import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { type ApiClient, createClient } from "../api.ts";

const pollMs = 1000;

/** The part of an alert row that `tail` shows; the rest is passed on as it came. */
const alertRow = z.looseObject({
  alert_id: z.string(),
  severity: z.string(),
  alert_name: z.string(),
  actor_id: z.string().nullish(),
  server_hostname: z.string().nullish(),
  count: z.number(),
  last_seen: z.string(),
});
type AlertRow = z.infer<typeof alertRow>;

interface TailOptions {
  readonly target?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
  readonly count?: number;
  readonly existing?: boolean;
}

/** `auditflow tail`: prints alerts as they are raised and as their count grows. */
export function tailCommand(context: CommandContext): Command {
  return new Command("tail")
    .description("print alerts as they come; one line for each new alert and each change of its count")
    .option("--target <url>", "the running AuditFlow (default: $AUDITFLOW_URL, else the one started here)")
    .option("--token-file <path>", "file with an API key or token (default: $AUDITFLOW_TOKEN)")
    .option("--json", "one JSON object a line, as the API answers it")
    .option("--existing", "begin with the alerts that are there already")
    .option("--count <n>", "end after this many lines", positiveInteger)
    .addHelpText("after", "\nExamples:\n  auditflow tail\n  auditflow tail --json | jq -r .alert_id")
    .action(async (options: TailOptions) => {
      const client = await createClient({ ...options, env: context.env });
      await tail(client, options, context);
    });
}

async function tail(
  client: ApiClient,
  options: TailOptions,
  { output, interrupted }: CommandContext,
): Promise<void> {
  const seen = new Map<string, number>();
  let left = options.count ?? Number.POSITIVE_INFINITY;
  let first = true;
  while (!interrupted.aborted) {
    const rows = await readAlerts(client);
    const fresh = rows.filter((row) => seen.get(row.alert_id) !== row.count);
    for (const row of fresh) seen.set(row.alert_id, row.count);
    for (const row of first && !options.existing ? [] : fresh.toReversed()) {
      output.out(options.json ? JSON.stringify(row) : line(row));
      left -= 1;
      if (left === 0) return;
    }
    first = false;
    await delay(pollMs, undefined, { signal: interrupted }).catch(() => {});
  }
}

async function readAlerts(client: ApiClient): Promise<readonly AlertRow[]> {
  return z.array(alertRow).parse(await client.request("GET", "/alerts", { query: { limit: 500 } }));
}

function line(row: AlertRow): string {
  const about = [row.actor_id, row.server_hostname].filter((part) => part).join("@");
  return `${row.last_seen}  ${row.severity.padEnd(8)}  ${row.alert_name}  ${about}  count=${row.count}  ${row.alert_id}`;
}

/** A whole number from 1, for commander. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new CliError(`"${text}" is not a whole number from 1.`, exitCode.usage);
}

import { Command } from "commander";
import { z } from "zod";

import { createClient } from "../api.ts";
import { type CommonOptions, withApiOptions } from "../api-options.ts";
import type { CommandContext } from "../context.ts";
import { type Output, table } from "../output.ts";
import { printable, printOne } from "../print.ts";
import { alertRow } from "./rows.ts";

const detail = alertRow.extend({
  evidence: z.array(z.looseObject({ source: z.string(), id: z.string(), time: z.string() })),
  history: z.array(
    z.looseObject({
      action: z.string(),
      changed_at: z.string(),
      changed_by: z.looseObject({ id: z.string() }),
      reason: z.string().nullish(),
    }),
  ),
  deliveries: z.array(
    z.looseObject({
      delivery_id: z.string(),
      channel: z.string(),
      kind: z.string(),
      status: z.string(),
      muted_by: z.string().nullish(),
      attempts: z.number(),
      created_at: z.string(),
    }),
  ),
});
type Detail = z.infer<typeof detail>;

/** `auditflow alerts show`: everything about one alert. */
export function showCommand(context: CommandContext): Command {
  const command = new Command("show")
    .description("show one alert: what it is, on what evidence, who did what, who was told")
    .argument("<id>", "the alert's id");
  return withApiOptions(command).action(async (id: string, options: CommonOptions) => {
    const client = await createClient({ ...options, env: context.env });
    const answer = await client.request("GET", `/api/v1/alerts/${encodeURIComponent(id)}`);
    if (options.output === "table") show(detail.parse(answer), context.output);
    else printOne(z.looseObject({}).parse(answer), options.output, context.output);
  });
}

/** Long or nested members are for `-o json`. */
const left = new Set([
  "evidence",
  "history",
  "deliveries",
  "raw_event_data",
  "analysis_rule",
  "triggered_by",
]);
const alsoLeft = new Set(["impacted_resource", "metadata", "alert_ids"]);

function show(alert: Detail, output: Output): void {
  const members = Object.entries(alert).filter(([name]) => !left.has(name) && !alsoLeft.has(name));
  printOne(Object.fromEntries(members), "table", output);
  section(
    output,
    `Evidence (${alert.count})`,
    ["TIME", "SOURCE", "ID"],
    alert.evidence.slice(0, 20).map(({ time, source, id }) => [time, source, id]),
  );
  section(
    output,
    "History",
    ["TIME", "ACTION", "BY", "REASON"],
    alert.history.map(({ changed_at, action, changed_by, reason }) => [
      changed_at,
      action,
      changed_by.id,
      reason ?? "-",
    ]),
  );
  section(
    output,
    "Told",
    ["TIME", "CHANNEL", "KIND", "STATUS", "ATTEMPTS", "DELIVERY"],
    alert.deliveries.map(({ created_at, channel, kind, status, muted_by, attempts, delivery_id }) => [
      created_at,
      channel,
      kind,
      muted_by ? `${status} by ${muted_by}` : status,
      String(attempts),
      delivery_id,
    ]),
  );
}

function section(
  output: Output,
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  output.out(`\n${title}`);
  if (rows.length === 0) return output.out("  none");
  const cells = rows.map((row) => row.map(printable));
  for (const line of table(header, cells)) output.out(`  ${line}`);
  return undefined;
}

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
      after: z.looseObject({}),
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

function show(alert: Detail, output: Output): void {
  const members = Object.entries(alert).filter(([name]) => !left.has(name));
  printOne(Object.fromEntries(members), "table", output);
  for (const { title, header, rows } of sectionsOf(alert)) {
    output.out(`\n${title}`);
    const cells = rows.map((row) => row.map(printable));
    for (const line of cells.length === 0 ? ["none"] : table(header, cells)) output.out(`  ${line}`);
  }
}

interface Section {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function sectionsOf({ count, evidence, history, deliveries }: Detail): readonly Section[] {
  return [
    {
      title: `Evidence (${count})`,
      header: ["TIME", "SOURCE", "ID"],
      rows: evidence.slice(0, 20).map(({ time, source, id }) => [time, source, id]),
    },
    {
      title: "History",
      header: ["TIME", "ACTION", "BY", "NOW", "REASON"],
      rows: history.map(({ changed_at, action, changed_by, after, reason }) => [
        changed_at,
        action,
        changed_by.id,
        valuesOf(after),
        reason ?? "-",
      ]),
    },
    {
      title: "Told",
      header: ["TIME", "CHANNEL", "KIND", "STATUS", "ATTEMPTS", "DELIVERY"],
      rows: deliveries.map(({ created_at, channel, kind, status, muted_by, attempts, delivery_id }) => [
        created_at,
        channel,
        kind,
        muted_by ? `${status} by ${muted_by}` : status,
        String(attempts),
        delivery_id,
      ]),
    },
  ];
}

/** What a change set, such as `resolved false_positive`. */
function valuesOf(after: Readonly<Record<string, unknown>>): string {
  const words = Object.values(after).map((value) => {
    if (value === null) return "none";
    return typeof value === "string" ? value : JSON.stringify(value);
  });
  return words.join(" ") || "-";
}

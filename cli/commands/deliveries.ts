import { Command, Option } from "commander";

import { byOf, type CommonOptions } from "../api-options.ts";
import type { CommandContext } from "../context.ts";
import { asCall, asList, cell } from "../resource.ts";
import { positiveInteger } from "./tail.ts";

const statuses = ["pending", "delivered", "failed", "muted", "discarded"] as const;

interface ListOptions extends CommonOptions {
  readonly limit: number;
  readonly status?: string;
  readonly channel?: string;
  readonly alert?: string;
}

/** `auditflow deliveries`: who was told what, and what did not arrive. */
export function deliveriesCommand(context: CommandContext): Command {
  const deliveries = new Command("deliveries").description(
    "messages to people: list, show or send them again",
  );
  deliveries.addCommand(
    asList<ListOptions>(
      new Command("list")
        .description("list deliveries, newest first")
        .addOption(new Option("--status <status>", "only these").choices(statuses))
        .option("--channel <name>", "only to this channel")
        .option("--alert <id>", "only about this alert")
        .option("--limit <n>", "at most this many", positiveInteger, 100),
      {
        path: "/api/v1/deliveries",
        columns: [
          ["CREATED", cell("created_at")],
          ["CHANNEL", cell("channel")],
          ["KIND", cell("kind")],
          ["STATUS", cell("status")],
          ["ATTEMPTS", cell("attempts")],
          ["LAST ERROR", cell("last_error")],
          ["ID", cell("delivery_id")],
        ],
        none: "No deliveries.",
        query: ({ status, channel, alert }) => ({ status, channel, alert_id: alert }),
      },
      context,
    ),
  );
  deliveries.addCommand(
    asCall(
      new Command("show").description("show one delivery with its attempts"),
      (client, id) => client.request("GET", `/api/v1/deliveries/${id}`),
      context,
    ),
  );
  deliveries.addCommand(
    asCall(
      new Command("resend").description("send it again").option("--by <name>", "who does it"),
      (client, id, options) =>
        client.request("POST", `/api/v1/deliveries/${id}/resend`, {
          body: { by: byOf(options, context.env) },
        }),
      context,
    ),
  );
  return deliveries;
}

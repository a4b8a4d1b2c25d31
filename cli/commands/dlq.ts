import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Command, Option } from "commander";

import { byOf, type CommonOptions } from "../api-options.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { asCall, asList, type CallOptions, cell } from "../resource.ts";
import { positiveInteger } from "./tail.ts";

interface ListOptions extends CommonOptions {
  readonly limit: number;
  readonly status: string;
  readonly code?: string;
  readonly origin?: string;
}

/** `auditflow dlq`: events that were refused for ever or could not be delivered. */
export function dlqCommand(context: CommandContext): Command {
  const dlq = new Command("dlq").description("dead letters: list, show, replay or discard them");
  dlq.addCommand(listCommand(context));
  dlq.addCommand(
    asCall(
      new Command("show").description("show one dead letter with its event"),
      (client, id) => client.request("GET", `/api/v1/dead-letters/${id}`),
      context,
    ),
  );
  dlq.addCommand(
    asCall(
      new Command("replay")
        .description("send the event to where it was meant to go")
        .option("--with <file>", "with this body instead; - reads standard input")
        .option("-m, --reason <text>", "why")
        .option("--by <name>", "who does it"),
      async (client, id, options: CallOptions & { readonly with?: string }) =>
        client.request("POST", `/api/v1/dead-letters/${id}/replay`, {
          body: {
            by: byOf(options, context.env),
            reason: options.reason,
            body: options.with === undefined ? undefined : await readBody(options.with, context),
          },
        }),
      context,
    ),
  );
  dlq.addCommand(
    asCall(
      new Command("discard")
        .description("close a dead letter; it stays to be seen")
        .requiredOption("-m, --reason <text>", "why")
        .option("--by <name>", "who does it"),
      (client, id, options) =>
        client.request("POST", `/api/v1/dead-letters/${id}/discard`, {
          body: { by: byOf(options, context.env), reason: options.reason },
        }),
      context,
    ),
  );
  return dlq;
}

function listCommand(context: CommandContext): Command {
  return asList<ListOptions>(
    new Command("list")
      .description("list dead letters, newest first")
      .addOption(
        new Option("--status <status>", "which ones")
          .choices(["open", "replayed", "discarded"])
          .default("open"),
      )
      .option("--code <code>", "only those refused for this reason, such as EVENT_DATA_INVALID")
      .option("--origin <name>", "only those of this function or address")
      .option("--limit <n>", "at most this many", positiveInteger, 100),
    {
      path: "/api/v1/dead-letters",
      columns: [
        ["RECEIVED", cell("received_at")],
        ["FROM", cell("origin")],
        ["TYPE", cell("event.type")],
        ["CODE", cell("code")],
        ["DETAIL", cell("detail")],
        ["ID", cell("id")],
      ],
      none: "No dead letters.",
      query: ({ status, code, origin }) => ({ status, code, origin }),
    },
    context,
  );
}

async function readBody(file: string, { stdin }: CommandContext): Promise<string> {
  if (file === "-") return text(stdin);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`--with "${file}" cannot be read (${reason}).`, exitCode.usage);
  }
}

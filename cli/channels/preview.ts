import { Command, Option } from "commander";

import { messageTypes } from "../../functions/notification/channels/channel.ts";
import { channelTypes } from "../../functions/notification/channels/index.ts";
import { previewChannel, type Previewed } from "../../functions/notification/channels/preview.ts";
import { sampleMessage } from "../../functions/notification/channels/sample.ts";
import type { ChannelDefinition } from "../../functions/notification/routing/routes.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { type Format, formatOption, printable } from "../print.ts";
import { fileHelp, hasErrors, printProblems, readRoutes } from "../routes/load.ts";

const kinds = messageTypes.map((type) => type.replace("alert.", ""));

interface PreviewOptions {
  readonly routes?: string;
  readonly kind: string;
  readonly group?: boolean;
  readonly output: Format;
}

/** `auditflow channels preview`: what a channel would send, without sending it. */
export function previewCommand(context: CommandContext): Command {
  return new Command("preview")
    .description("show what a channel of a routes file would send, without sending it")
    .argument("<name>", "the channel's name")
    .option("--routes <path>", fileHelp)
    .addOption(new Option("--kind <kind>", "why people are told").choices(kinds).default("raised"))
    .option("--group", "of a group of alerts instead of a single one")
    .addOption(formatOption())
    .addHelpText(
      "after",
      "\nNo secret is read: in its place stands where it is found.\n\nExample:\n  auditflow channels preview security-chat --routes routes.yaml --group -o json",
    )
    .action(async (name: string, options: PreviewOptions) => {
      const { type, settings } = await findChannel(name, options, context);
      const channel = channelTypes.get(type);
      if (!channel) throw new CliError(`"${type}" is no type of channel.`, exitCode.usage);
      const previewed = await previewChannel(channel, settings, {
        outgoing: { id: "00000000-0000-4000-8000-000000000000", message: messageOf(options) },
        now: Date.parse("2026-01-15T12:01:00Z"),
      });
      print(previewed, options.output, context);
    });
}

function messageOf({ kind, group }: PreviewOptions) {
  const type = messageTypes.find((type) => type.replace("alert.", "") === kind) ?? "alert.raised";
  return sampleMessage(type, { group: group === true });
}

async function findChannel(
  name: string,
  options: PreviewOptions,
  context: CommandContext,
): Promise<ChannelDefinition> {
  const { output } = context;
  const { routes, problems } = await readRoutes(options.routes, { secrets: false }, context);
  if (!routes || hasErrors(problems)) {
    printProblems(problems, output.err, output.paint);
    throw new CliError("The routes cannot be read.", exitCode.usage);
  }
  const definition = routes.channels.find((channel) => channel.name === name);
  if (definition) return definition;
  const names = routes.channels.map((channel) => channel.name).join(", ") || "none";
  throw new CliError(`There is no channel "${name}" in the file: it has ${names}.`, exitCode.notFound);
}

function print(previewed: readonly Previewed[], format: Format, { output }: CommandContext): void {
  if (format === "json") return output.out(JSON.stringify(previewed, undefined, 2));
  for (const one of previewed) {
    if (format === "ndjson") output.out(JSON.stringify(one));
    else for (const line of linesOf(one)) output.out(printable(line));
  }
  return undefined;
}

function linesOf(one: Previewed): readonly string[] {
  switch (one.kind) {
    case "http": {
      const headers = Object.entries(one.headers).map(([name, value]) => `${name}: ${value}`);
      const body = one.body === "" ? [] : ["", ...JSON.stringify(one.body, undefined, 2).split("\n")];
      return [`${one.method} ${one.url}`, ...headers, ...body, ""];
    }
    case "mail": {
      const { from, to, cc, subject, text } = one.mail;
      const copies = cc.length === 0 ? [] : [`Cc: ${cc.join(", ")}`];
      return [
        one.server,
        `From: ${from}`,
        `To: ${to.join(", ")}`,
        ...copies,
        `Subject: ${subject}`,
        "",
        ...text.split("\n"),
      ];
    }
    case "log":
      return [JSON.stringify(one.line)];
    default:
      return one satisfies never;
  }
}

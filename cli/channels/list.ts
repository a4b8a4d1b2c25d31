import { Command } from "commander";
import { z } from "zod";

import type { ChannelType } from "../../functions/notification/channels/channel.ts";
import { channelTypes } from "../../functions/notification/channels/index.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { type Format, formatOption, printRows } from "../print.ts";

/** `auditflow channels list`: every type of channel, or the settings of one. */
export function listCommand({ output }: CommandContext): Command {
  return new Command("list")
    .description("list the types of channels, or the settings of one of them")
    .argument("[type]", "show the settings of this type")
    .addOption(formatOption())
    .addHelpText("after", "\nExamples:\n  auditflow channels list\n  auditflow channels list slack -o json")
    .action((type: string | undefined, options: { readonly output: Format }) => {
      if (type === undefined) printTypes(options.output, output);
      else printSettings(find(type), options.output, output);
    });
}

function printTypes(format: Format, output: CommandContext["output"]): void {
  const rows = [...channelTypes.values()].map((channel) => ({
    type: channel.type,
    description: channel.description,
    settings: schemaOf(channel),
  }));
  const columns = [
    ["TYPE", ({ type }: Row) => type],
    ["REQUIRED", ({ settings }: Row) => settings.required.join(", ") || "-"],
    ["WHAT", ({ description }: Row) => description],
  ] as const;
  printRows({ rows, columns, none: "No types of channels." }, format, output);
}

interface Row {
  readonly type: string;
  readonly description: string;
  readonly settings: z.infer<typeof settingsSchema>;
}

function printSettings(channel: ChannelType, format: Format, output: CommandContext["output"]): void {
  const { properties, required } = schemaOf(channel);
  const rows = Object.entries(properties).map(([setting, property]) => ({
    setting,
    required: required.includes(setting),
    ...property,
  }));
  const columns = [
    ["SETTING", ({ setting }: (typeof rows)[number]) => setting],
    ["REQUIRED", ({ required }: (typeof rows)[number]) => (required ? "yes" : "no")],
    ["DEFAULT", (row: (typeof rows)[number]) => shown(row.default)],
    ["WHAT", (row: (typeof rows)[number]) => row.description ?? "-"],
    ["EXAMPLE", (row: (typeof rows)[number]) => shown(row.examples?.[0])],
  ] as const;
  printRows(
    { rows, columns, none: `Channels of the type ${channel.type} have no settings.` },
    format,
    output,
  );
}

/** The part of a JSON Schema that is shown; the rest is kept for `-o json`. */
const settingsSchema = z.looseObject({
  properties: z
    .record(
      z.string(),
      z.looseObject({
        description: z.string().optional(),
        default: z.unknown().optional(),
        examples: z.array(z.unknown()).optional(),
      }),
    )
    .default({}),
  required: z.array(z.string()).default([]),
});

function schemaOf({ settings }: ChannelType): z.infer<typeof settingsSchema> {
  return settingsSchema.parse(z.toJSONSchema(settings, { io: "input" }));
}

function find(type: string): ChannelType {
  const channel = channelTypes.get(type);
  if (channel) return channel;
  throw new CliError(
    `"${type}" is no type of channel: expected one of ${[...channelTypes.keys()].join(", ")}.`,
    exitCode.notFound,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return "-";
  return typeof value === "string" ? value : JSON.stringify(value);
}
